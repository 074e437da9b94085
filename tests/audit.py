"""Check what is installed: its licences, and known vulnerabilities where their data can be reached.

`make audit` runs it. Exit status 1 for a licence that is not listed or a known vulnerability. Packages that
could not be looked up are counted: no data is not the same as no vulnerability.
"""

import json
import subprocess
import sys
from pathlib import Path

ALLOWED = ("MIT", "Apache", "BSD", "ISC", "PSF", "Python Software Foundation", "MPL", "Mozilla", "Unlicense")
# Packages whose metadata names no licence, or a choice or a linking licence, each read by a person.
JUDGED = {
    "openlineage-dbt": "Apache-2.0 in its repository; the package's metadata leaves it out",
    "openlineage_sql": "Apache-2.0 in its repository; the package's metadata leaves it out",
    "psycopg2-binary": "LGPL-3.0 with exceptions: used as a library, not changed",
    "text-unidecode": "Artistic License or GPL-2.0+: the first is taken",
}
BIN = Path(sys.executable).parent


def licences() -> list[str]:
    """Return one line for each package whose licence is neither listed nor judged."""
    listed = subprocess.run([BIN / "pip-licenses", "--format=json"], capture_output=True, check=True)
    return [
        f"{package['Name']} {package['Version']}: {package['License']}"
        for package in json.loads(listed.stdout)
        if package["Name"] not in JUDGED and not any(name in package["License"] for name in ALLOWED)
    ]


def vulnerabilities(pins: Path) -> tuple[list[str], int, int]:
    """Return one line for each known vulnerability, and how many packages were looked up and were not."""
    command = [BIN / "pip-audit", "-r", pins, "--no-deps", "--disable-pip", "--format=json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=600)
    if not done.stdout.strip():  # the service cannot be reached: pip-audit ends with an error
        return [], 0, pins.read_text(encoding="utf-8").count("==")
    packages = json.loads(done.stdout)["dependencies"]
    found = [
        f"{package['name']} {package['version']}: {vulnerability['id']}"
        for package in packages
        for vulnerability in package.get("vulns", ())
    ]
    skipped = sum("skip_reason" in package for package in packages)
    return found, len(packages) - skipped, skipped


def main() -> int:
    """Print what was found."""
    problems = licences()
    for line in problems:
        print(f"licence not listed in tests/audit.py: {line}")
    for pins in sorted(Path(__file__).parents[1].glob("requirements*.txt")):
        found, audited, skipped = vulnerabilities(pins)
        problems += found
        print(
            f"{pins.name}: {len(found)} known vulnerabilities in {audited} packages; {skipped} not looked up"
        )
        for line in found:
            print(f"  {line}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
