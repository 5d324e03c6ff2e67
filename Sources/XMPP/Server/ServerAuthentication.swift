// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import TLS
internal import XML

/// The exchange by which a client proves who it is (RFC 6120 §6), seen from the server: element by element, no I/O.
struct ServerAuthentication {
  /// What comes next.
  enum Step {
    case send(Element)
    /// Look this account up, then call ``ServerAuthentication/found(_:)``.
    case find(localpart: String)
    /// Derive this off the loop, then call ``ServerAuthentication/derived(_:)``.
    case derive(SCRAM.KeyRequest)
    /// It is this account; the element tells the client.
    case succeeded(BareJID, Element)
    case failed(SASLCondition)
  }

  private enum State {
    /// The mechanism was chosen, and what it begins with is awaited.
    case chosen(SASLMechanism)
    case finding(SASLMechanism, BareJID)
    /// Whether the password that was sent is the right one.
    case deriving(BareJID, StoredCredentials.Keys, Digest)
    case awaitingProof(BareJID)
    case over
  }

  private let domain: String
  private let decoySecret: [UInt8]
  private var state: State
  private var scram: SCRAMServer?
  /// A password that was sent, until it is known what to compare it with.
  private var password: [UInt8] = []

  /// - Parameters:
  ///   - mechanism: one of those that are offered.
  ///   - domain: that of the accounts.
  ///   - decoySecret: what nobody else knows.
  ///   - nonce: for SCRAM.
  init(_ mechanism: SASLMechanism, domain: String, offer: SCRAMServer.Offer, decoySecret: [UInt8], nonce: String) {
    self.domain = domain
    self.decoySecret = decoySecret
    state = .chosen(mechanism)
    scram = mechanism.digest.map { SCRAMServer($0, isPlus: mechanism.bindsChannel, offer: offer, nonce: nonce) }
  }

  // MARK: Events

  /// Takes `<auth/>`, once, or what follows it.
  mutating func received(_ element: Element) -> Step {
    attempt { authentication throws(SASLCondition) in try authentication.take(element) }
  }

  /// Takes what is kept of the password of the account; nil where there is no such account.
  mutating func found(_ credentials: StoredCredentials?) -> Step {
    attempt { authentication throws(SASLCondition) in try authentication.take(credentials) }
  }

  /// Takes what was derived.
  mutating func derived(_ salted: [UInt8]) -> Step {
    attempt { authentication throws(SASLCondition) in
      guard case .deriving(let account, let keys, let digest) = authentication.state else {
        throw SASLCondition.malformedRequest
      }
      let key = digest(HMAC.code(for: "Client Key".utf8, key: salted, digest: digest))
      guard constantTimeEqual(key, keys.storedKey) else { throw SASLCondition.notAuthorized }
      authentication.state = .over
      return .succeeded(account, Element("success", Namespace.sasl))
    }
  }

  private mutating func attempt(_ body: (inout Self) throws(SASLCondition) -> Step) -> Step {
    do throws(SASLCondition) {
      return try body(&self)
    } catch {
      state = .over
      return .failed(error)
    }
  }

  // MARK: Steps

  private mutating func take(_ element: Element) throws(SASLCondition) -> Step {
    guard element.namespace == Namespace.sasl else { throw .malformedRequest }
    if element.matches("abort", Namespace.sasl) { throw .aborted }
    switch state {
    case .chosen(let mechanism):
      // Nothing at all means that it waits to be asked (RFC 6120 §6.4.2).
      if element.name == "auth", element.text.isEmpty { return .send(Element("challenge", Namespace.sasl)) }
      let message = try decode(element)
      return mechanism == .plain ? try begin(plain: message) : try begin(scram: message, mechanism)
    case .awaitingProof(let account):
      guard element.name == "response" else { throw .malformedRequest }
      let text = try decode(element)
      guard let final = try scram?.received(clientFinal: text) else { throw .malformedRequest }
      state = .over
      return .succeeded(account, message("success", final))
    case .finding, .deriving, .over: throw .malformedRequest
    }
  }

  private mutating func begin(scram message: String, _ mechanism: SASLMechanism) throws(SASLCondition) -> Step {
    guard let (userName, identity) = try scram?.received(clientFirst: message) else { throw .malformedRequest }
    return try find(userName, actingAs: identity, mechanism)
  }

  /// RFC 4616.
  private mutating func begin(plain message: String) throws(SASLCondition) -> Step {
    let parts = message.utf8.split(separator: 0, omittingEmptySubsequences: false).map { String(Substring($0)) }
    guard parts.count == 3, let userName = Stringprep.saslprep.prepare(parts[1]) else { throw .malformedRequest }
    guard let secret = Stringprep.saslprep.prepare(parts[2]), !secret.isEmpty else { throw .notAuthorized }
    password = Array(secret.utf8)
    return try find(userName, actingAs: parts[0], .plain)
  }

  private mutating func find(
    _ userName: String, actingAs identity: String, _ mechanism: SASLMechanism
  ) throws(SASLCondition) -> Step {
    guard let account = try? BareJID(localpart: userName, domain: domain), let localpart = account.localpart else {
      throw .notAuthorized
    }
    // Nobody acts for another here.
    guard identity.isEmpty || (try? BareJID(identity)) == account else { throw .invalidAuthorizationIdentity }
    state = .finding(mechanism, account)
    return .find(localpart: localpart)
  }

  private mutating func take(_ credentials: StoredCredentials?) throws(SASLCondition) -> Step {
    guard case .finding(let mechanism, let account) = state else { throw .malformedRequest }
    // Whoever is not there is asked for a proof all the same, or everybody could find out who is.
    let decoy = StoredCredentials.decoy(for: account.description, secret: decoySecret)
    if let digest = mechanism.digest, let keys = credentials?.keys[digest] ?? decoy.keys[digest] {
      guard let first = try scram?.found(keys) else { throw .malformedRequest }
      state = .awaitingProof(account)
      return .send(message("challenge", first))
    }
    let found = credentials?.keys.isEmpty == false ? credentials : nil
    for digest in [Digest.sha256, .sha512, .sha1] {
      guard let keys = (found ?? decoy).keys[digest] else { continue }
      state = .deriving(account, keys, digest)
      defer { password = [] }
      return .derive(
        SCRAM.KeyRequest(password: password, salt: keys.salt, iterations: keys.iterations, digest: digest))
    }
    throw .notAuthorized
  }

  // MARK: Messages

  private func message(_ name: String, _ text: String) -> Element {
    Element(name, Namespace.sasl, text: Base64.encode(Array(text.utf8)))
  }

  private func decode(_ element: Element) throws(SASLCondition) -> String {
    let text = element.text
    guard text != "=" else { return "" }
    guard let bytes = Base64.decode(text) else { throw .incorrectEncoding }
    guard let message = String(validating: bytes, as: UTF8.self) else { throw .malformedRequest }
    return message
  }
}
