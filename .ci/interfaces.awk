# SPDX-License-Identifier: Apache-2.0
# usage: awk -f interfaces.awk FILE
# Prints each member of a D-Bus interface without its comment right before it, without the version it came with, methods
# without their errors, and properties that do not say how they tell of changes.

/<!--/ { comment = ""; talking = 1 }
talking { comment = comment $0 "\n" }
/-->/ { talking = 0; next }
talking { next }

/<(method|signal|property) / {
  kind = $1
  sub(/</, "", kind)
  name = $0
  sub(/.* name="/, "", name)
  sub(/".*/, "", name)
  if (index(comment, name ":") == 0) complain("no comment that begins with its name")
  if (kind == "method" && comment !~ /Errors: /) complain("its comment does not name its errors")
  if (kind == "property" && /"(read)?write"/ && comment !~ /Errors when set: /) complain("its comment does not name its errors")
  comment = ""
  since = signals = 0
}
/<annotation name="org.gtk.GDBus.Since"/ { since = 1 }
/<annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal"/ { signals = 1 }
/<arg / && !/ name="[a-z_]+"/ { complain("an argument without a lower_case name") }
/<\/(method|signal|property)>/ {
  if (!since) complain("no version it came with")
  if (kind == "property" && !signals) complain("does not say how it tells of changes")
}

function complain(what) { print FILENAME ":" FNR ": " name ": " what }
