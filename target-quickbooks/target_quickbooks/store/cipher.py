"""Encryption of what must not be readable in the store: tokens, records, payloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.exact_json import from_json, to_json


class Cipher:
    """Encrypts with the newest key, decrypts with any (``cryptography``'s MultiFernet).

    Raises:
        SettingsError: A key is not a Fernet key.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            msg = (
                "encryption_key is not a Fernet key (44 characters of URL-safe base64). "
                "Make one with: quickbooks-admin generate-key"
            )
            raise SettingsError(msg) from None

    def encrypt(self, text: str) -> str:
        """Encrypt a text."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Decrypt a text.

        Raises:
            StoreError: No key fits.
        """
        return self._with_any_key(self._fernet.decrypt, token)

    def reencrypt(self, token: str) -> str:
        """Encrypt with the newest key what any key can read.

        Raises:
            StoreError: No key fits.
        """
        return self._with_any_key(self._fernet.rotate, token)

    def _with_any_key(self, act: Callable[[bytes], bytes], token: str) -> str:
        try:
            return act(token.encode()).decode()
        except InvalidToken:
            msg = (
                "encryption_key does not fit this store: none of the given keys can read it. Give the key "
                "it was written with (while rotating: new key, comma, old key)."
            )
            raise StoreError(msg) from None

    def seal(self, document: Any) -> str:
        """Encrypt a JSON-like document."""
        return self.encrypt(to_json(document))

    def unseal(self, token: str) -> Any:
        """Decrypt a JSON-like document, numbers exact."""
        return from_json(self.decrypt(token))
