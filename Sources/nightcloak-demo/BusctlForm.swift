// SPDX-License-Identifier: Apache-2.0

internal import DBus

/// Arguments as busctl(1) takes them.
enum BusctlForm {
  /// A signature and what follows it; nothing for no arguments.
  static func words(_ arguments: [Value]) -> [String] {
    guard !arguments.isEmpty else { return [] }
    return [arguments.map(\.signature.text).joined()] + arguments.flatMap(words(of:))
  }

  private static func words(of value: Value) -> [String] {
    switch value {
    case .string(let text): [quoted(text)]
    case .objectPath(let path): [path.text]
    case .signature(let signature): [signature.text]
    case .boolean(let truth): [truth ? "true" : "false"]
    case .byte(let number): ["\(number)"]
    case .int16(let number): ["\(number)"]
    case .uint16(let number): ["\(number)"]
    case .int32(let number): ["\(number)"]
    case .uint32(let number): ["\(number)"]
    case .int64(let number): ["\(number)"]
    case .uint64(let number): ["\(number)"]
    case .double(let number): ["\(number)"]
    case .array(let elements, _): ["\(elements.count)"] + elements.flatMap(words(of:))
    case .dictionary(let entries, _, _):
      ["\(entries.count)"]
        + entries.map { words(of: $0.key) + words(of: $0.value) }
        .sorted { $0.lexicographicallyPrecedes($1) }.flatMap(\.self)
    case .structure(let fields): fields.flatMap(words(of:))
    case .variant(let content): [content.signature.text] + words(of: content)
    // busctl cannot pass descriptors.
    case .unixFD: ["?"]
    }
  }

  /// An interface of ours with the name of the service as the variable that the shell has it in.
  static func short(_ text: String) -> String {
    text.hasPrefix(Stage.serviceName) ? "$N" + text.dropFirst(Stage.serviceName.count) : text
  }

  /// As a shell needs it.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "@./:_-*".contains($0)) }
    guard isPlain, !text.isEmpty else { return "'\(text)'" }
    return short(text)
  }
}
