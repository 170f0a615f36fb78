"""`python -m devices.emulators`, the same as `yichuang emulate`."""

import sys

from devices.emulators.cli import main

sys.exit(main())
