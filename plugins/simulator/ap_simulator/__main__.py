"""`python -m ap_simulator` is `ap-simulator`."""

from ap_simulator.cli import main

if __name__ == "__main__":
    main()
