import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "operators"), str(TESTS / "support")]
sys.path.append(str(TESTS.parent / "dbt_project"))
