"""The table of what is found: one line a type, in order of precedence where two claim the same place.

To add one: a file (or a place in the file of its family) with `find_x(text) -> Iterator[Span]` and
`stand_in_x(value, chance) -> str`, and a line here with a cheap hint. `tests/contracts/test_recognisers.py` runs over the
table; give it examples there.
"""

from __future__ import annotations

from tuneloop.text.personal import accounts, addresses, cards, identity, international, names, network, phones, secrets
from tuneloop.text.personal.span import Recogniser

RECOGNISERS: dict[str, Recogniser] = {
    "api_key": Recogniser(secrets.find_api_keys, secrets.API_KEY_HINT, secrets.stand_in_api_key),
    "password": Recogniser(secrets.find_passwords, secrets.PASSWORD_HINT, secrets.stand_in_password),
    "email": Recogniser(network.find_emails, network.EMAIL_HINT, network.stand_in_email),
    "iban": Recogniser(international.find_ibans, international.IBAN_HINT, international.stand_in_iban),
    "crypto_wallet": Recogniser(
        international.find_crypto_wallets, international.CRYPTO_HINT, international.stand_in_crypto_wallet
    ),
    "mac_address": Recogniser(
        international.find_mac_addresses, international.MAC_HINT, international.stand_in_mac_address
    ),
    "ip": Recogniser(network.find_ips, network.IP_HINT, network.stand_in_ip),
    "id_card": Recogniser(identity.find_id_cards, identity.ID_CARD_HINT, identity.stand_in_id_card),
    "passport": Recogniser(identity.find_passports, identity.PASSPORT_HINT, identity.stand_in_passport),
    "driver_licence": Recogniser(
        accounts.find_driver_licences, accounts.LICENCE_HINT, accounts.stand_in_driver_licence
    ),
    "qq": Recogniser(accounts.find_qq, accounts.QQ_HINT, accounts.stand_in_qq),
    "bank_card": Recogniser(cards.find_bank_cards, cards.CARD_HINT, cards.stand_in_bank_card),
    "mobile": Recogniser(phones.find_mobiles, phones.MOBILE_HINT, phones.stand_in_mobile),
    "landline": Recogniser(phones.find_landlines, phones.LANDLINE_HINT, phones.stand_in_landline),
    "ssn": Recogniser(
        identity.find_social_security_numbers, identity.SSN_HINT, identity.stand_in_social_security_number, ("en",)
    ),
    "phone": Recogniser(phones.find_phones, phones.PHONE_HINT, phones.stand_in_phone),
    "national_id": Recogniser(
        international.find_national_ids, international.NATIONAL_HINT, international.stand_in_national_id
    ),
    "wechat": Recogniser(accounts.find_wechat, accounts.WECHAT_HINT, accounts.stand_in_wechat),
    "plate": Recogniser(accounts.find_plates, accounts.PLATE_HINT, accounts.stand_in_plate),
    "address": Recogniser(addresses.find_addresses, addresses.ADDRESS_HINT, addresses.stand_in_address, possible=True),
    "name": Recogniser(names.find_names, names.NAME_HINT, names.stand_in_name, possible=True),
}
