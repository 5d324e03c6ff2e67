// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import EventLoop
internal import Gateway
internal import TLS
internal import XMPP

extension Parameters {
  private static let known =
    "password, password-fd, server, port, tls, ca-file, fingerprint, protocol, features, identities, balanced, "
    + "visibility, contacts, autoconnect"
  /// Bytes of a feature, or of a word of an identity.
  private static let longestWord = 256

  /// Reads the parameters of a gateway. What only a person's account has is none of them.
  /// - Parameters:
  ///   - domain: the gateway's.
  ///   - uid: whose gateway it is.
  /// - Throws: ``DBusError`` naming the key.
  static func gateway(
    _ domain: BareJID, _ values: [String: Value], for uid: UInt32
  ) async throws -> GatewayConfiguration {
    var parameters = Options(values, in: "parameters of AddConnection for \"xmpp-component\"")
    try parameters.refuse("persist")
    _ = try parameters.take("protocol", String.self)
    let visibility = try visibility(&parameters, of: domain).map { mode, named throws(AccountError) in
      try named.requireNoGroups("\"contacts\"")
      return try VisibilityWish(mode, named)
    }
    let place = try Place(&parameters)
    let tls = try parameters.take("tls", String.self).map { text throws(DBusError) in
      try oneOf(ComponentConfiguration.TLS.allCases, text, "\"tls\"")
    }
    let fingerprint = try fingerprint(&parameters, place, isPlain: tls == .off)
    let features = try features(&parameters)
    let identities = try identities(&parameters)
    let isBalanced = try parameters.take("balanced", Bool.self) ?? false
    let connectsByItself = try parameters.take("autoconnect", Bool.self) ?? false
    let credentials = try Credentials(&parameters, takesCertificate: false)
    try parameters.end(known: known)
    try credentials.check()
    var component = ComponentConfiguration(
      domain: domain, secret: try await credentials.read(for: uid).password, server: place.server, port: place.port,
      tls: tls, caFile: place.caFile, isBalanced: isBalanced)
    component.fingerprint = fingerprint
    return GatewayConfiguration(
      component: component, features: features ?? GatewayConfiguration.usualFeatures,
      identities: identities ?? GatewayConfiguration.usualIdentities, visibility: visibility ?? .visible,
      connectsByItself: connectsByItself)
  }

  private static func features(_ parameters: inout Options) throws(DBusError) -> [String]? {
    guard let features: [String] = try parameters.take("features") else { return nil }
    try check(features.count, GatewayConfiguration.mostFeatures, "features")
    for feature in features { try check(feature, "features") }
    guard Set(features).count == features.count else {
      throw DBusError(.invalidArgs, "\"features\" has one of them twice.")
    }
    return features
  }

  private static func identities(_ parameters: inout Options) throws(DBusError) -> [DiscoInfo.Identity]? {
    guard let texts: [Structure<String, String, String, String>] = try parameters.take("identities") else { return nil }
    try check(texts.count, GatewayConfiguration.mostIdentities, "identities")
    var identities: [DiscoInfo.Identity] = []
    for text in texts {
      let (category, type, language, name) = text.fields
      for word in [category, type] { try check(word, "identities") }
      for word in [language, name] where !word.isEmpty { try check(word, "identities") }
      identities.append(
        DiscoInfo.Identity(
          category: category, type: type, language: language.isEmpty ? nil : language, name: name.isEmpty ? nil : name))
    }
    return identities
  }

  private static func check(_ count: Int, _ most: Int, _ key: String) throws(DBusError) {
    guard count > 0 else { throw DBusError(.invalidArgs, "\"\(key)\" is empty: leave it out for the usual ones.") }
    guard count <= most else {
      throw DBusError(.limitsExceeded, "\"\(key)\" has \(count) entries, but \(most) are the most.")
    }
  }

  /// Refuses what cannot be said in XML, or would make the hash of our capabilities mean something else (XEP-0115 §9).
  private static func check(_ word: String, _ key: String) throws(DBusError) {
    guard !word.isEmpty, word.utf8.count <= longestWord else {
      throw DBusError(
        .invalidArgs, "\"\(key)\" has a text of \(word.utf8.count) bytes, but must have from 1 to \(longestWord).")
    }
    guard word.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F && $0 != "<" }) else {
      throw DBusError(.invalidArgs, "\"\(key)\" has a text with a character that cannot be in it: \"\(word)\".")
    }
  }
}
