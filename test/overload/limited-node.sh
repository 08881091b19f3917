#!/usr/bin/env bash
# Node with a limit of open files (LIMIT_FILES) and a priority (NICE) of its own, for a process that is attacked or attacks.
if [ -n "${LIMIT_FILES:-}" ]; then ulimit -n "$LIMIT_FILES" || exit 1; fi
exec nice -n "${NICE:-0}" node "$@"
