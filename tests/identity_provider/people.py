"""What the provider says of a person. `last_name` "unverified" makes an address that nobody checked."""

from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self, request):
        return {
            "name": request.user.first_name,
            "email": request.user.email,
            "email_verified": request.user.last_name != "unverified",
        }

    def get_userinfo_claims(self, request):
        return {**super().get_userinfo_claims(request), **self.get_additional_claims(request)}
