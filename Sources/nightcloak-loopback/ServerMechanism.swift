// SPDX-License-Identifier: Apache-2.0

/// What a server can offer its clients to hide with. Each can be switched on and off, so that every one of a client's
/// mechanisms, and the want of it, can be tried out.
enum ServerMechanism: String, CaseIterable {
  /// XEP-0018.
  case invisiblePresence = "invisible-presence"
  /// XEP-0186 in the namespace `urn:xmpp:invisible:0`.
  case invisibleCommand0 = "invisible-command:0"
  /// XEP-0186 in the namespace `urn:xmpp:invisible:1`, which knows `probe`.
  case invisibleCommand1 = "invisible-command:1"
  /// XEP-0016.
  case privacyList = "privacy-list"
  /// XEP-0191.
  case blocking

  static let all = Set(allCases)

  /// What may stand in a list, besides `all` and `none`.
  static var words: [String] { [bothCommands] + allCases.map(\.rawValue) }

  private static let bothCommands = "invisible-command"

  /// Reads a list whose words are separated by commas; nil where one is unknown.
  static func read(_ text: String) -> Set<Self>? {
    switch text {
    case "all": return all
    case "none": return []
    default: break
    }
    var result: Set<Self> = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      if word == bothCommands {
        result.formUnion([.invisibleCommand0, .invisibleCommand1])
      } else if let mechanism = Self(rawValue: String(word)) {
        result.insert(mechanism)
      } else {
        return nil
      }
    }
    return result
  }
}
