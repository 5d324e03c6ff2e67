// SPDX-License-Identifier: Apache-2.0

internal import TLS

/// What a server and the connection to it offer for logging in.
struct LoginOffer {
  /// The mechanisms that the server names.
  let mechanisms: Set<String>
  /// The channel bindings that the server names (XEP-0440); nil where it says nothing about them.
  let announced: Set<String>?
  /// The channel bindings that our end of the connection has; none without TLS.
  let bindings: [ChannelBinding: [UInt8]]
  /// Whether TLS is up.
  let isSecured: Bool

  init(_ features: StreamFeatures, bindings: [ChannelBinding: [UInt8]], isSecured: Bool) {
    mechanisms = Set(features.mechanisms)
    announced = features.channelBindings.map(Set.init)
    self.bindings = isSecured ? bindings : [:]
    self.isSecured = isSecured
  }

  func has(_ mechanism: SASLMechanism) -> Bool { mechanisms.contains(mechanism.rawValue) }

  /// Whether the server ties logging in to TLS, or at least says so.
  var bindsChannel: Bool { SASLMechanism.allCases.contains { $0.bindsChannel && has($0) } }

  /// The channel binding that both ends have. Where the server does not say which ones it has only `tls-unique` is
  /// taken, which TLS 1.2 has: servers that offer -PLUS under TLS 1.3 without a word about it were seen to know no
  /// other one than that.
  var binding: ChannelBinding? {
    guard let announced else { return bindings[.unique] == nil ? nil : .unique }
    return ChannelBinding.allCases.first { announced.contains($0.rawValue) && bindings[$0] != nil }
  }

  /// Whether all the channel bindings that the server names are unknown to us, and the one is missing that every server
  /// has to have: somebody in between has made the list, so that we do without (XEP-0440, business rules).
  var isTamperedWith: Bool {
    guard isSecured, bindsChannel, let announced, binding == nil else { return false }
    return !announced.contains(ChannelBinding.serverEndPoint.rawValue)
  }

  /// What SCRAM says about channel binding where it does not use one (RFC 5802 §6). A server that did offer -PLUS finds
  /// out then that somebody has taken it from the list. That is left to the server even where it names channel
  /// bindings: one that checks passwords by PLAIN only may name them too.
  var unboundLink: SCRAM.Link { !bindings.isEmpty && !bindsChannel ? .hiddenByServer : .none }
}
