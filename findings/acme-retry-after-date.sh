#!/bin/sh
# acme 5.9.0 (certbot's library): a Retry-After that is an HTTP date is off by the machine's own distance from UTC.
#
# `ClientV2.retry_after` returns a naive datetime that callers compare with `datetime.now()`. For seconds it adds them to the local time.
# For an HTTP date it returns the date's own digits, which are GMT. So "in one minute" said as a date is nearly nine hours ago in Tokyo
# and nearly five hours ahead in New York (winter), while the same minute said in seconds is a minute everywhere.
# RFC 9110 section 10.2.3 allows both forms.
# Source: acme/client.py, ClientV2.retry_after.
#
# Seen (in winter; in summer New York is at 241):
#   Asia/Tokyo: minutes from now by seconds 1, by date -539
#   America/New_York: minutes from now by seconds 1, by date 301
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --disable-pip-version-check acme==5.9.0 || exit 2
cat >"$folder/ask.py" <<'PY'
import datetime
import os
import time
from email.utils import format_datetime

import requests
from acme.client import ClientV2

os.environ["TZ"] = os.environ["ZONE"]
time.tzset()


def minutes_from_now(value: str) -> int:
    response = requests.Response()
    response.headers["Retry-After"] = value
    return round((ClientV2.retry_after(response, 5) - datetime.datetime.now()).total_seconds() / 60)


offset = round(datetime.datetime.now().astimezone().utcoffset().total_seconds() / 60)  # as it is today, in summer or winter
in_a_minute = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)
by_seconds, by_date = minutes_from_now("60"), minutes_from_now(format_datetime(in_a_minute, usegmt=True))
print(f"{os.environ['ZONE']}: minutes from now by seconds {by_seconds}, by date {by_date}")
raise SystemExit(0 if (by_seconds, by_date) == (1, 1 - offset) else 1)
PY
for zone in Asia/Tokyo America/New_York; do
    ZONE=$zone "$folder/venv/bin/python" "$folder/ask.py" || exit 1
done
