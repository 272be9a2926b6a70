# Turns the tables of docs/configuration.md into the SETTINGS of lekhika-daemon.conf(5).
function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/`/, "", text)
    gsub(/\*\*/, "", text)
    gsub(/-/, "\\-", text)
    gsub(/^ +| +$/, "", text)
    if (text ~ /^[.']/) text = "\\&" text
    return text
}
/^### \[/ { inside = 1; sub(/^### /, ""); print ".SS " plain($0); next }
/^## / { inside = 0 }
!inside { next }
/^\|---/ || /^\| key \|/ || /^$/ { next }
/^\|/ {
    gsub(/\\\|/, "\001")
    split($0, cell, "|")
    for (i in cell) gsub(/\001/, "|", cell[i])
    print ".TP"
    print ".B " plain(cell[2])
    print plain(cell[5])
    if (plain(cell[4]) != "") print "Default: " plain(cell[4]) "."
    print "Value: " plain(cell[3]) "."
    next
}
{ print ".PP"; print plain($0) }
