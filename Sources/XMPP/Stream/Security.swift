// SPDX-License-Identifier: Apache-2.0

public import TLS

/// How a stream is protected.
public struct Security: Hashable, Sendable {
  /// What TLS was agreed on; nil on a loopback connection without it.
  public let tls: TLSInfo?
  /// How we proved who we are (RFC 6120 §6), as `SCRAM-SHA-256`.
  public let mechanism: String
  /// What ties the proof to the TLS connection (RFC 5802 §6); nil where nothing does.
  public let channelBinding: ChannelBinding?

  /// Describes how a stream is protected.
  public init(tls: TLSInfo?, mechanism: String, channelBinding: ChannelBinding?) {
    self.tls = tls
    self.mechanism = mechanism
    self.channelBinding = channelBinding
  }
}
