// SPDX-License-Identifier: Apache-2.0

/// What a server can offer its clients to hide with. Each can be switched on and off, so that every one of a client's
/// mechanisms, and the want of it, can be tried out.
enum ServerMechanism: String, CaseIterable {
  /// XEP-0018.
  case invisiblePresence = "invisible-presence"
  /// XEP-0186.
  case invisibleCommand = "invisible-command"
  /// XEP-0016.
  case privacyList = "privacy-list"
  /// XEP-0191.
  case blocking

  static let all = Set(allCases)

  /// Reads a list whose words are separated by commas, `all` or `none`; nil where a word is unknown.
  static func read(_ text: String) -> Set<Self>? {
    switch text {
    case "all": return all
    case "none": return []
    default: break
    }
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let mechanisms = words.compactMap { Self(rawValue: String($0)) }
    return mechanisms.count == words.count ? Set(mechanisms) : nil
  }
}
