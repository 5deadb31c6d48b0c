"""One night's exports from two vendors in one loop; errors are printed to stderr.

Set the credentials in the environment: `exportjobs vendors` lists the variables. To run it against
the sandbox, start `exportjobs sandbox` and set the variables that it prints.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import exportjobs
from exportjobs_clari import Clari
from exportjobs_csv import CsvExport

clari = Clari(
    api_key=os.environ["CLARI_API_KEY"],
    base_url=os.environ.get("CLARI_BASE_URL", "https://api.clari.com/v4"),
)
practice = CsvExport(
    api_key=os.environ["CSV_API_KEY"],
    tenant=os.environ["CSV_TENANT"],
    base_url=os.environ.get("CSV_BASE_URL", "https://api.sodiumhq.com"),
)
today = datetime.now(UTC)
exports = [
    clari.forecast("deal_owner", format="CSV"),
    clari.activity(start_date=today - timedelta(days=1), end_date=today),
    practice.clients(filter={"statuses": ["Active"]}),
]

failed = 0
for finished in exportjobs.run(exports, into=sys.argv[1] if len(sys.argv) > 1 else "landing"):
    if finished.ok:
        print(finished.job.ref, *finished.files)
    else:
        failed += 1
        print(finished.error, file=sys.stderr)
sys.exit(1 if failed else 0)
