// SPDX-License-Identifier: Apache-2.0

internal import TLS

/// The way in that is taken. Once it is chosen no other one is tried on the same connection: whoever can make a strong
/// one fail must not get a weak one for it.
struct LoginChoice {
  let mechanism: SASLMechanism
  /// How it is tied to TLS; no matter where it is not SCRAM.
  let link: SCRAM.Link

  /// Chooses the strongest way that is offered and that `configuration` has what it takes for.
  /// - Throws: an end that says why there is none, or none that is as strong as before.
  init(_ offer: LoginOffer, _ configuration: ClientConfiguration) throws(StreamEnd) {
    guard let mechanism = SASLMechanism.allCases.last(where: { Self.isPossible($0, offer, configuration) }) else {
      throw Self.nothingInCommon(offer, configuration)
    }
    if !configuration.acceptsWeakerLogin {
      if mechanism != .external, offer.isTamperedWith { throw Self.tampered }
      if let weaker = Self.weaker(mechanism, configuration) { throw weaker }
    }
    self.mechanism = mechanism
    if mechanism.bindsChannel, let binding = offer.binding, let data = offer.bindings[binding] {
      link = .bound(binding, data)
    } else {
      // Who accepts less gets in, too, where the server has -PLUS and does not let it be used.
      link = configuration.acceptsWeakerLogin ? .none : offer.unboundLink
    }
  }

  private static func isPossible(
    _ mechanism: SASLMechanism, _ offer: LoginOffer, _ configuration: ClientConfiguration
  ) -> Bool {
    guard offer.has(mechanism) else { return false }
    switch mechanism {
    case .external: return offer.isSecured && configuration.clientCertificate != nil
    // The password itself never goes out in the clear, not even on loopback: whoever took the server's port would have
    // it.
    case .plain: return offer.isSecured && !configuration.password.isEmpty
    default: return !configuration.password.isEmpty && (!mechanism.bindsChannel || offer.binding != nil)
    }
  }

  /// The channel binding that is used.
  var binding: ChannelBinding? {
    if case .bound(let binding, _) = link, mechanism.bindsChannel { binding } else { nil }
  }

  // MARK: Refusals

  private static func weaker(_ mechanism: SASLMechanism, _ configuration: ClientConfiguration) -> StreamEnd? {
    guard let name = configuration.leastMechanism else { return nil }
    if let least = SASLMechanism(rawValue: name) {
      // Without the certificate there is nothing left that the memory of it could protect.
      if least == .external, configuration.clientCertificate == nil { return nil }
      guard mechanism < least else { return nil }
    }
    return StreamEnd(
      .authentication,
      "Logging in went by \(name) before, and the strongest way that can be used now is \(mechanism.rawValue): "
        + "somebody in between may have hidden the others. Nothing was sent. If the server was changed, or its "
        + "administrator says that it is right, set accept-weaker-login to true.")
  }

  private static var tampered: StreamEnd {
    StreamEnd(
      .authentication,
      "The server says that it ties logging in to TLS, but by no channel binding that this connection has, and not by "
        + "tls-server-end-point, which every server must have: somebody in between may have changed the list. Nothing "
        + "was sent. If the administrator of the server says that it is right, set accept-weaker-login to true.")
  }

  private static func nothingInCommon(_ offer: LoginOffer, _ configuration: ClientConfiguration) -> StreamEnd {
    let known = SASLMechanism.allCases.filter(offer.has)
    let byPassword = known.filter { $0 != .external }
    let text =
      if offer.mechanisms.isEmpty {
        offer.isSecured
          ? "The server offers no way to log in."
          : "The server offers no way to log in without TLS: set tls to starttls."
      } else if known.isEmpty {
        "The server offers no way to log in that we know; we know SCRAM-SHA-512, -256 and -1, with and without -PLUS, "
          + "EXTERNAL and PLAIN."
      } else if configuration.password.isEmpty || byPassword.isEmpty {
        withoutPassword(offer, configuration, byPassword)
      } else if !offer.isSecured, byPassword == [.plain] {
        "Without TLS the server takes only the password itself, which is never sent in the clear: set tls to starttls."
      } else {
        "The server only takes a log-in that is tied to TLS (\(byPassword.map(\.rawValue).joined(separator: ", "))), and "
          + "this connection has no channel binding that the server is known to have: ask its administrator to announce "
          + "tls-exporter or tls-server-end-point."
      }
    return StreamEnd(.authentication, text)
  }

  private static func withoutPassword(
    _ offer: LoginOffer, _ configuration: ClientConfiguration, _ byPassword: [SASLMechanism]
  ) -> String {
    switch (configuration.clientCertificate != nil, byPassword.isEmpty) {
    case (false, true): "The server lets nobody in without a certificate: set client-certificate."
    case (false, false): "The password is empty or was not given: set it anew."
    case (true, _) where !offer.isSecured:
      "Without TLS the client certificate cannot be shown: set tls to starttls."
    case (true, _):
      "The server does not let us in by the client certificate, and there is no password: check that the certificate "
        + "is one for \(configuration.account) that the server accepts, or set a password."
    }
  }
}
