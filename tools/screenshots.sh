#!/usr/bin/env bash
# screenshots.sh: docs/images/, from a demo in which one collector fails: its page, and its terminal
# at 80 and at 120 columns. Needs tmux and chromium, or what CHROMIUM names.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
images=$root/docs/images
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$images"

# demo COLUMNS: the demo's terminal, as somebody sees it when it has ended.
demo() {
  local pane="fanfold-screenshot-$$-$1"
  tmux new-session -d -s "$pane" -x "$1" -y 30 -c "$root" \
    ".venv/bin/fanfold demo --fault plu=empty; touch $folder/ended-$1; sleep 5"
  until [ -e "$folder/ended-$1" ]; do sleep 0.2; done
  tmux capture-pane -p -t "$pane" | sed -e 's/[[:space:]]*$//' -e '/./,$!d' |
    awk '{ lines[NR] = $0 } /./ { last = NR } END { for (n = 1; n <= last; n++) print lines[n] }'
  tmux kill-session -t "$pane"
}

demo 80 > "$images/terminal-80.txt"
demo 120 > "$images/terminal-120.txt"
page=$(find "$root/build/demo/reports" -name report.html | sort | tail -1)
"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars \
  --user-data-dir="$folder/chromium" --window-size=1280,1020 --screenshot="$images/report.png" "file://$page" 2> /dev/null
cd "$root" && .venv/bin/python -m tests.browser.screenshots build/screenshots
cp "$images"/* build/screenshots/
ls -l "$images" build/screenshots
