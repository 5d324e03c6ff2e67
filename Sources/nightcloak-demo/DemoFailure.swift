// SPDX-License-Identifier: Apache-2.0

/// Why the story could not go on.
struct DemoFailure: Error, CustomStringConvertible {
  let description: String
  init(_ text: String) { description = text }
}
