#!/bin/sh
cd "$(dirname "$0")" && python3 install.py
printf 'Press Return to close this window. ' && read -r _
