// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import TLS

/// The client's side of SCRAM (RFC 5802), with and without channel binding: message by message, no I/O.
///
/// The costly step is left to the caller: ``received(serverFirst:)`` says what is to be derived, ``derived(_:)``
/// goes on with it.
struct SCRAM {
  /// How often the password is hashed. Fewer would make a stolen log easy to search, more would keep us busy at a
  /// hostile server's wish.
  static let iterations = 4096...200_000
  private static let longestNonce = 1024
  private static let longestSalt = 1024

  /// Why an exchange cannot go on.
  struct Failure: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// How the exchange is tied to the TLS connection below it (RFC 5802 §6).
  enum Link: Hashable, Sendable {
    /// Not at all: we cannot, or not by the ways that the server has.
    case none
    /// Not at all, since the server does not say that it can; we could. A server that did say so knows now that
    /// somebody in between has hidden it.
    case hiddenByServer
    /// By the data of a channel binding: it goes on only where the server has the same.
    case bound(ChannelBinding, [UInt8])

    /// The beginning of the first message; there is never an authorization identity.
    var header: String {
      switch self {
      case .none: "n,,"
      case .hiddenByServer: "y,,"
      case .bound(let binding, _): "p=\(binding.rawValue),,"
      }
    }

    /// What the last message repeats, so that the server's proof covers it.
    var proof: [UInt8] {
      if case .bound(_, let data) = self { Array(header.utf8) + data } else { Array(header.utf8) }
    }
  }

  /// What is to be derived from the password. It takes a while: off the loop.
  struct KeyRequest: Sendable, Hashable {
    let password: [UInt8]
    let salt: [UInt8]
    let iterations: Int
    let digest: Digest

    func derive() -> [UInt8] { pbkdf2(password: password, salt: salt, iterations: iterations, digest: digest) }
  }

  private enum State {
    case begun
    case deriving(serverFirst: String, nonce: String)
    case awaitingProof(of: [UInt8])
    case done
  }

  private let digest: Digest
  private let link: Link
  private let nonce: String
  private let userName: String
  private let password: [UInt8]
  private var state = State.begun

  /// - Parameters:
  ///   - nonce: printable, without a comma, and never used before.
  ///   - link: how the exchange is tied to TLS.
  /// - Throws: ``Failure`` for a name or password that has no prepared form (RFC 4013).
  init(
    _ digest: Digest, userName: String, password: String, nonce: String, link: Link = .none
  ) throws(Failure) {
    guard let user = Stringprep.saslprep.prepare(userName), !user.isEmpty else {
      throw Failure("the user name has characters that cannot be part of one")
    }
    guard let secret = Stringprep.saslprep.prepare(password), !secret.isEmpty else {
      throw Failure("the password is empty or has characters that cannot be part of one")
    }
    self.digest = digest
    self.link = link
    self.nonce = nonce
    self.userName = user
    self.password = Array(secret.utf8)
  }

  /// The first message to the server.
  var clientFirst: String { link.header + clientFirstBare }

  private var clientFirstBare: String {
    // Scalar by scalar: a comma with a combining mark is one character to Swift and a comma to the server.
    let name = userName.unicodeScalars.map { scalar in
      switch scalar {
      case "=": "=3D"
      case ",": "=2C"
      default: String(scalar)
      }
    }
    return "n=\(name.joined()),r=\(nonce)"
  }

  /// Takes the server's first message.
  mutating func received(serverFirst: String) throws(Failure) -> KeyRequest {
    guard case .begun = state else { throw Failure("the server sent its first message twice") }
    let parts = Self.attributes(serverFirst)
    guard parts.first?.name != "m" else { throw Failure("the server demands an extension of SCRAM that there is not") }
    guard parts.count >= 3, parts[0].name == "r", parts[1].name == "s", parts[2].name == "i" else {
      throw Failure("the server's first message is not one of SCRAM")
    }
    let combined = parts[0].value
    guard combined.utf8.starts(with: nonce.utf8), combined.utf8.count > nonce.utf8.count,
      combined.utf8.count <= Self.longestNonce, combined.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { throw Failure("the server did not add to our nonce as it must") }
    guard let salt = Base64.decode(parts[1].value), !salt.isEmpty, salt.count <= Self.longestSalt else {
      throw Failure("the server's salt cannot be read")
    }
    guard let iterations = Int(parts[2].value), Self.iterations.contains(iterations) else {
      throw Failure(
        "the server wants the password hashed a number of times outside of "
          + "\(Self.iterations.lowerBound) to \(Self.iterations.upperBound)")
    }
    state = .deriving(serverFirst: serverFirst, nonce: combined)
    return KeyRequest(password: password, salt: salt, iterations: iterations, digest: digest)
  }

  /// Takes what was derived from the password.
  /// - Returns: the last message to the server.
  mutating func derived(_ saltedPassword: [UInt8]) throws(Failure) -> String {
    guard case .deriving(let serverFirst, let combined) = state else {
      throw Failure("a key was derived that nobody asked for")
    }
    let clientKey = HMAC.code(for: "Client Key".utf8, key: saltedPassword, digest: digest)
    let serverKey = HMAC.code(for: "Server Key".utf8, key: saltedPassword, digest: digest)
    let withoutProof = "c=\(Base64.encode(link.proof)),r=\(combined)"
    let everything = "\(clientFirstBare),\(serverFirst),\(withoutProof)"
    let signature = HMAC.code(for: everything.utf8, key: digest(clientKey), digest: digest)
    let proof = zip(clientKey, signature).map { $0 ^ $1 }
    state = .awaitingProof(of: HMAC.code(for: everything.utf8, key: serverKey, digest: digest))
    return "\(withoutProof),p=\(Base64.encode(proof))"
  }

  /// Takes the server's last message: its proof that it knows the password too.
  mutating func received(serverFinal: String) throws(Failure) {
    guard case .awaitingProof(let signature) = state else {
      throw Failure("the server sent its last message too early")
    }
    let parts = Self.attributes(serverFinal)
    if parts.first?.name == "e" { throw Failure(serverError: parts[0].value) }
    guard let first = parts.first, first.name == "v", let proof = Base64.decode(first.value),
      constantTimeEqual(proof, signature)
    else { throw Failure("the server could not prove that it knows the password") }
    state = .done
  }

  /// Whether the server's last message is what comes next.
  var isAwaitingProof: Bool { if case .awaitingProof = state { true } else { false } }

  /// Whether the server has proved that it knows the password.
  var isDone: Bool { if case .done = state { true } else { false } }

  /// The parts of a message of either side.
  static func attributes(_ message: String) -> [(name: Substring, value: String)] {
    message.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
      let part = Substring(part)
      guard let equals = part.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (part, "") }
      return (part[..<equals], String(part[part.utf8.index(after: equals)...]))
    }
  }
}

extension SCRAM.Failure {
  /// What a server says instead of its proof (RFC 5802 §7).
  init(serverError value: String) {
    switch value {
    case "invalid-proof", "unknown-user":
      self.init("the server does not accept the user name or the password")
    case "channel-bindings-dont-match":
      self.init("the server's end of the TLS connection is not ours, as when somebody is in between")
    case "server-does-support-channel-binding":
      self.init("the server ties logging in to TLS, and somebody in between has hidden that")
    case "channel-binding-not-supported", "unsupported-channel-binding-type":
      self.init("the server does not know the way that ties logging in to TLS, though it offered one")
    default: self.init("the server gave it up instead of proving that it knows the password")
    }
  }
}
