// SPDX-License-Identifier: Apache-2.0

import Support

/// Something that goes wrong before an account is connected, and what comes of it.
struct LoginFault: Sendable {
  /// What comes of it.
  enum Outcome: Sendable {
    /// It does not matter.
    case connects
    /// Connect fails with this error of ours, whose text says one of these.
    case fails(String, [String])
  }

  let name: String
  let outcome: Outcome
  /// The parameter `tls`.
  let tls: String
  let proxy: @Sendable (Scene) throws -> FaultProxy
  /// What else is wrong with what the program did; nil when nothing is.
  let objection: @Sendable (FaultProxy) -> String?

  init(
    _ name: String, _ outcome: Outcome, tls: String = "starttls",
    objection: @escaping @Sendable (FaultProxy) -> String? = { _ in nil },
    proxy: @escaping @Sendable (Scene) throws -> FaultProxy
  ) {
    self.name = name
    self.outcome = outcome
    self.tls = tls
    self.objection = objection
    self.proxy = proxy
  }

  /// A fault of the connection alone.
  static func connection(
    _ name: String, _ outcome: Outcome, _ fault: FaultProxy.Fault, tls: String = "starttls"
  ) -> LoginFault {
    LoginFault(name, outcome, tls: tls) { try FaultProxy(to: $0.witness.server.clientPort, fault: fault) }
  }

  /// A server that begins TLS in its own way.
  static func start(_ name: String, _ outcome: Outcome, _ start: Interception.Start) -> LoginFault {
    LoginFault(name, outcome, objection: saysNothing) { try $0.proxy(start) }
  }

  /// A server that shows a certificate.
  static func certificate(
    _ name: String, _ words: [String], _ certificate: @escaping @Sendable (Certificates) -> TestCertificate
  ) -> LoginFault {
    LoginFault(name, .fails("CertificateRejected", words), objection: saysNothing) {
      try $0.proxy(showing: certificate($0.certificates))
    }
  }

  /// A server that says something else than it should, behind TLS with a good certificate.
  static func said(
    _ name: String, _ outcome: Outcome, instead prefix: String,
    objection: @escaping @Sendable (FaultProxy) -> String? = { _ in nil },
    _ change: @escaping @Sendable (String) -> String
  ) -> LoginFault {
    LoginFault(name, outcome, objection: objection) {
      try $0.proxy(change: Interception.changing(.toClient, prefix, change))
    }
  }

  /// As ``said(_:_:instead:objection:_:)``, in bytes.
  static func bytes(_ name: String, _ outcome: Outcome, instead prefix: String, _ bytes: [UInt8]) -> LoginFault {
    LoginFault(name, outcome) {
      try $0.proxy { direction, piece in
        direction == .toClient && piece.hasPrefix(prefix) ? bytes : Array(piece.utf8)
      }
    }
  }

  /// A server that changes what SCRAM says.
  static func scram(
    _ name: String, _ words: [String] = [], element: String = "<challenge", proves: Bool = false,
    _ change: @escaping @Sendable (String) -> String
  ) -> LoginFault {
    said(
      name, .fails("AuthenticationFailed", words), instead: element,
      objection: { triesOnce($0) ?? (proves ? nil : provesNothing($0)) }
    ) { changingMessage($0, change) }
  }

  // MARK: Objections

  /// Behind a start of TLS that failed nothing is said.
  static let saysNothing: @Sendable (FaultProxy) -> String? = { proxy in
    proxy.sentByClients.isEmpty ? nil : "it says \(proxy.sentByClients)"
  }

  /// A log-in that failed is not tried again, and not with something weaker: somebody may want just that.
  static let triesOnce: @Sendable (FaultProxy) -> String? = { proxy in
    let tries = proxy.sentByClients.filter { $0.hasPrefix("<auth") }
    guard tries.count == 1, tries.allSatisfy({ $0.contains("SCRAM") }) else { return "it tries to log in by \(tries)" }
    return nil
  }

  /// Whoever gets a proof can search for the password at leisure.
  static let provesNothing: @Sendable (FaultProxy) -> String? = { proxy in
    let proofs = proxy.sentByClients.filter { $0.hasPrefix("<response") }
    return proofs.isEmpty ? nil : "it gives a proof: \(proofs)"
  }
}
