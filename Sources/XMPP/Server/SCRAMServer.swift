// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import TLS

/// The server's side of SCRAM (RFC 5802), with and without channel binding: message by message, no I/O.
struct SCRAMServer {
  /// What the connection below has for logging in to be tied to it.
  struct Offer {
    /// Whether any mechanism that is tied to TLS was offered.
    let bindsChannel: Bool
    /// The channel bindings of the connection; none without TLS.
    let bindings: [ChannelBinding: [UInt8]]
  }

  private static let longestNonce = 1024

  private enum State {
    case begun
    case named(bare: String)
    case awaitingProof(StoredCredentials.Keys, bare: String, serverFirst: String)
    case over
  }

  private let digest: Digest
  private let isPlus: Bool
  private let offer: Offer
  private var nonce: String
  /// What the client's last message repeats: the header of its first one, with the data of the channel binding.
  private var link: [UInt8] = []
  private var state = State.begun

  /// - Parameter nonce: our part: printable, without a comma, and never used before.
  init(_ digest: Digest, isPlus: Bool, offer: Offer, nonce: String) {
    self.digest = digest
    self.isPlus = isPlus
    self.offer = offer
    self.nonce = nonce
  }

  /// Takes the client's first message.
  /// - Returns: the name that it logs in by, and the address that it wants to act as; empty for its own.
  mutating func received(clientFirst: String) throws(SASLCondition) -> (userName: String, identity: String) {
    guard case .begun = state else { throw .malformedRequest }
    let pieces = clientFirst.utf8.split(separator: UInt8(ascii: ","), maxSplits: 2, omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    guard pieces.count == 3 else { throw .malformedRequest }
    let (flag, identity, bare) = (pieces[0], pieces[1], pieces[2])
    link = Array("\(flag),\(identity),".utf8) + (try channelBinding(flag))
    guard identity.isEmpty || identity.hasPrefix("a=") else { throw .malformedRequest }
    let parts = SCRAM.attributes(bare)
    guard parts.count >= 2, parts[0].name == "n", parts[1].name == "r" else { throw .malformedRequest }
    let clientNonce = parts[1].value
    guard (1...Self.longestNonce).contains(clientNonce.utf8.count),
      clientNonce.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { throw .malformedRequest }
    guard let name = Self.unescape(parts[0].value).flatMap(Stringprep.saslprep.prepare),
      let identity = Self.unescape(String(identity.dropFirst(2)))
    else { throw .malformedRequest }
    nonce = clientNonce + nonce
    state = .named(bare: bare)
    return (name, identity)
  }

  /// The data that the flag of the first message calls for (RFC 5802 §6).
  private func channelBinding(_ flag: String) throws(SASLCondition) -> [UInt8] {
    if flag.hasPrefix("p=") {
      guard isPlus, let binding = ChannelBinding(rawValue: String(flag.dropFirst(2))),
        let data = offer.bindings[binding]
      else { throw .malformedRequest }
      return data
    }
    guard !isPlus else { throw .malformedRequest }
    switch flag {
    case "n": return []
    // It could, and was told that we cannot: somebody in between has changed what we offer.
    case "y" where offer.bindsChannel: throw .notAuthorized
    case "y": return []
    default: throw .malformedRequest
    }
  }

  /// Takes what is kept of the password of the one who was named.
  /// - Returns: our first message.
  mutating func found(_ keys: StoredCredentials.Keys) throws(SASLCondition) -> String {
    guard case .named(let bare) = state else { throw .malformedRequest }
    let serverFirst = "r=\(nonce),s=\(Base64.encode(keys.salt)),i=\(keys.iterations)"
    state = .awaitingProof(keys, bare: bare, serverFirst: serverFirst)
    return serverFirst
  }

  /// Takes the client's last message: its proof that it knows the password.
  /// - Returns: our last message, which proves the same of us.
  mutating func received(clientFinal: String) throws(SASLCondition) -> String {
    guard case .awaitingProof(let keys, let bare, let serverFirst) = state else { throw .malformedRequest }
    state = .over
    let parts = SCRAM.attributes(clientFinal)
    guard parts.count >= 3, parts[0].name == "c", parts[1].name == "r", let last = parts.last, last.name == "p",
      let proof = Base64.decode(last.value), let repeated = Base64.decode(parts[0].value)
    else { throw .malformedRequest }
    guard parts[1].value == nonce, constantTimeEqual(repeated, link), proof.count == digest.byteCount else {
      throw .notAuthorized
    }
    let withoutProof = String(decoding: clientFinal.utf8.dropLast(last.value.utf8.count + 3), as: UTF8.self)
    let everything = "\(bare),\(serverFirst),\(withoutProof)"
    let signature = HMAC.code(for: everything.utf8, key: keys.storedKey, digest: digest)
    let clientKey = zip(proof, signature).map { $0 ^ $1 }
    guard constantTimeEqual(digest(clientKey), keys.storedKey) else { throw .notAuthorized }
    return "v=" + Base64.encode(HMAC.code(for: everything.utf8, key: keys.serverKey, digest: digest))
  }

  /// A name with its commas and equals signs; nil where it has those that it may not have (RFC 5802 §5.1).
  private static func unescape(_ name: String) -> String? {
    var output: [UInt8] = []
    var rest = Array(name.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "=") else {
        output.append(byte)
        continue
      }
      switch rest.prefix(2) {
      case [UInt8(ascii: "2"), UInt8(ascii: "C")]: output.append(UInt8(ascii: ","))
      case [UInt8(ascii: "3"), UInt8(ascii: "D")]: output.append(UInt8(ascii: "="))
      default: return nil
      }
      rest = rest.dropFirst(2)
    }
    return String(validating: output, as: UTF8.self)
  }
}
