"""What providers keeps of a person: nothing. These rows are the installation's."""

from __future__ import annotations

from gptbuilder.accounts.personal_data import Holding

HOLDING = Holding(
    impersonal={
        "providers.Provider": "an endpoint of the installation, with its sealed key",
        "providers.ProviderModel": "a model of an endpoint",
        "providers.ConnectionCheck": "what a check of an endpoint found",
        "providers.Checklist": "how far the installation is set up",
    }
)
