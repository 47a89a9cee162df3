"""Sallyport key for detect-secrets: `detect-secrets scan --plugin sallyport_key.py`. Written by tools/make-rule-packs.js. Do not edit."""
import re
import zlib

from detect_secrets.plugins.base import RegexBasedDetector

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def has_checksum(key: str) -> bool:
    """The last six characters are the CRC-32 of all before them, in base62."""
    value = zlib.crc32(key[:-6].encode())
    for character in reversed(key[-6:]):
        if character != BASE62[value % 62]:
            return False
        value //= 62
    return True


class SallyportKeyDetector(RegexBasedDetector):
    """A key is one only if its checksum fits."""

    secret_type = "Sallyport key"
    denylist = [re.compile(r"sp[atep]?_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")]

    def analyze_string(self, string: str):
        return (found for found in super().analyze_string(string) if has_checksum(found))
