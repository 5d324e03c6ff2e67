// SPDX-License-Identifier: Apache-2.0

public import TLS
public import XML

/// What all the streams of a server have in common.
public struct ServerStreamConfiguration: Sendable {
  /// The domain that is served, as `localhost`.
  public var domain: String
  /// What TLS is made with; without it STARTTLS is not offered.
  public var tls: ServerTLS?
  /// Whether nobody gets in without TLS. Does not concern components, which know no TLS (XEP-0114).
  public var requiresTLS: Bool
  /// The ways to log in. Those that are tied to TLS are offered where TLS is up; ``SASLMechanism/external`` is not known
  /// here and left out.
  public var mechanisms: [SASLMechanism]
  /// Whether ``SASLMechanism/plain`` is offered without TLS, too.
  public var allowsPlainInTheClear = false
  /// What is announced after the log-in besides resource binding and stream management: roster versioning, client
  /// states, capabilities… Most of it is for whoever handles the stanzas to do.
  public var features: [Element]
  /// For how long a session is kept when its connection is lost (XEP-0198 §5), rounded to whole seconds; nil where
  /// stanzas are not counted at all.
  public var resumptionTime: Duration?
  /// What clients may make the server hold and wait for.
  public var limits = ServerLimits()

  /// Describes a server.
  /// - Parameter tls: without it everything goes in the clear, and nobody can be asked for TLS.
  public init(
    domain: String, tls: ServerTLS?, requiresTLS: Bool = true,
    mechanisms: [SASLMechanism] = SASLMechanism.allCases.filter { $0 != .external }, features: [Element] = [],
    resumptionTime: Duration? = .seconds(300)
  ) {
    self.domain = domain
    self.tls = tls
    self.requiresTLS = requiresTLS && tls != nil
    self.mechanisms = mechanisms
    self.features = features
    self.resumptionTime = resumptionTime
  }
}

/// What the clients of a server may make it hold and wait for.
public struct ServerLimits: Hashable, Sendable {
  /// The most bytes of one stanza.
  public var stanzaBytes = 512 * 1024
  /// How long it may take until a session has begun.
  public var loginTime = Duration.seconds(30)
  /// How many bytes may be said until then, TLS's own not counted.
  public var loginBytes = 64 * 1024
  /// How often a client may fail to prove who it is on one connection.
  public var loginFailures = 3
  /// How many connections may be there whose session has not begun.
  public var loginStreams = 4096
  /// How many streams there may be in all, those included whose session waits for its client.
  public var streams = 16_384
  /// How many stanzas may wait for a client to say that it had them (XEP-0198 §4), above all while it is away; one more
  /// and its session is over.
  public var unacknowledgedStanzas = 4096
  /// How many bytes may wait for a client that does not read.
  public var queuedBytes = 4 * 1024 * 1024

  /// The limits of a small server.
  public init() {}
}
