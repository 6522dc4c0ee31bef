"""`python -m tuneloop`, which launchers such as torchrun start."""

from tuneloop.cli.main import main

if __name__ == "__main__":
    main()
