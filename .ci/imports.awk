# SPDX-License-Identifier: Apache-2.0
# usage: awk -f imports.awk Package.swift SOURCES…
# Prints each import of a module that Package.swift does not list for the target of the file, and each target that is
# listed before one it uses: targets stand in their order from the ground up, and imports point downwards only.

FILENAME == "Package.swift" {
  sub(/\/\/.*/, "")
  manifest = manifest $0 "\n"
  next
}

FNR == 1 && !read { read_manifest() }

/^ *(@[A-Za-z_]+(\([^)]*\))? +)*((public|package|internal|fileprivate|private) +)?import +/ {
  line = $0
  sub(/^.*import +/, "", line)
  sub(/^(struct|class|enum|protocol|typealias|func|let|var) +/, "", line)
  match(line, /^[A-Za-z_0-9]+/)
  module = substr(line, RSTART, RLENGTH)
  split(FILENAME, path, "/")
  if (!((path[2], module) in uses) && !standard(module, path[1], path[2]))
    print FILENAME ":" FNR ": " path[2] " imports " module
}

# What comes with Swift. The core does without an operating system.
function standard(module, top, target) {
  if (target == "Audience") return 0
  if (module == "Glibc" || module == "Synchronization") return 1
  if (top == "Tests") return module == "Testing" || module == "Foundation"
  if (target == "DBusCodegenPlugin") return module == "PackagePlugin" || module == "Foundation"
  return 0
}

# Takes each target's name, the first string of its declaration, and its dependencies, the strings of the first list
# after it; `logging` is the one dependency that has a name in the manifest.
function read_manifest(   rest, call, name, list) {
  read = 1
  rest = manifest
  sub(/^.*targets: \[/, "", rest)
  while (match(rest, /(room|program|tests|systemLibrary|\.systemLibrary|\.target|\.plugin)\(/)) {
    rest = substr(rest, RSTART + RLENGTH)
    call = balanced(rest, "(", ")")
    match(call, /"[^"]+"/)
    name = substr(call, RSTART + 1, RLENGTH - 2)
    declared[name]
    call = substr(call, RSTART + RLENGTH)
    if (match(call, /\[/)) {
      list = balanced(substr(call, RSTART + 1), "[", "]")
      if (list ~ /(^|[^A-Za-z."])logging([^A-Za-z"]|$)/) uses[name, "Logging"]
      while (match(list, /"[^"]+"/)) {
        dependency = substr(list, RSTART + 1, RLENGTH - 2)
        uses[name, dependency]
        listed[name] = listed[name] " " dependency
        # A program's module has an underscore where its name has a hyphen.
        gsub(/-/, "_", dependency)
        uses[name, dependency]
        list = substr(list, RSTART + RLENGTH)
      }
    }
    order[++count] = name
  }
  for (i = 1; i <= count; i++) {
    known = split(listed[order[i]], dependencies, " ")
    for (j = 1; j <= known; j++)
      if (dependencies[j] in declared && !(dependencies[j] in seen))
        print "Package.swift: " order[i] " stands before " dependencies[j] ", which it uses"
    seen[order[i]]
  }
}

# The part of `text` up to the bracket that closes the one before it.
function balanced(text, open, close_,   depth, at, character) {
  depth = 1
  for (at = 1; at <= length(text); at++) {
    character = substr(text, at, 1)
    if (character == open) depth++
    if (character == close_ && --depth == 0) return substr(text, 1, at - 1)
  }
  return text
}
