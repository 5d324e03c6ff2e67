// SPDX-License-Identifier: Apache-2.0

/// Something that a test expected did not happen, or something happened that must not.
public struct WitnessError: Error, CustomStringConvertible {
  /// What it was, with the bytes that show it.
  public let description: String

  /// Makes an error that says `text`.
  public init(_ text: String) { description = text }
}
