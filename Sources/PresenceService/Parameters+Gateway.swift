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
    let features: [String]? = try parameters.take("features")
    let identities = try parameters.take("identities", [Structure<String, String, String, String>].self)?.map { one in
      let (category, type, language, name) = one.fields
      return DiscoInfo.Identity(
        category: category, type: type, language: language.isEmpty ? nil : language, name: name.isEmpty ? nil : name)
    }
    let isBalanced = try parameters.take("balanced", Bool.self) ?? false
    let connectsByItself = try parameters.take("autoconnect", Bool.self) ?? false
    let credentials = try Credentials(&parameters, takesCertificate: false)
    try parameters.end(known: known)
    try credentials.check()
    var component = ComponentConfiguration(
      domain: domain, secret: try await credentials.read(for: uid).password, server: place.server, port: place.port,
      tls: tls, caFile: place.caFile, isBalanced: isBalanced)
    component.fingerprint = fingerprint
    let configuration = GatewayConfiguration(
      component: component, features: features ?? GatewayConfiguration.usualFeatures,
      identities: identities ?? GatewayConfiguration.usualIdentities, visibility: visibility ?? .visible,
      connectsByItself: connectsByItself)
    try configuration.check()
    return configuration
  }
}
