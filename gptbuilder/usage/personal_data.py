"""What usage keeps of a person: nothing but what their own workspace may use."""

from __future__ import annotations

from gptbuilder.accounts.personal_data import Holding, Table
from gptbuilder.usage.models import Allowance

HOLDING = Holding(
    tables=(Table("usage.Allowance", lambda person: Allowance.objects.filter(workspace__personal_of=person)),)
)
