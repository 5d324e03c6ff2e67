// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// dbus-codegen INTERFACE.xml OUTPUT.swift: writes the Swift of one D-Bus interface.

func fail(_ text: String) -> Never {
  (text + "\n").withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
  exit(1)
}

guard CommandLine.arguments.count == 3 else { fail("usage: dbus-codegen INTERFACE.xml OUTPUT.swift") }
let input = CommandLine.arguments[1]
let output = CommandLine.arguments[2]

do {
  let interface = try Interface(contentsOf: input)
  let text = try generate(interface)
  guard let file = fopen(output, "w") else { fail("\(output): error: \(String(cString: strerror(errno)))") }
  let written = fputs(text, file)
  guard fclose(file) == 0, written >= 0 else { fail("\(output): error: \(String(cString: strerror(errno)))") }
} catch {
  fail("\(input): error: \(error)")
}
