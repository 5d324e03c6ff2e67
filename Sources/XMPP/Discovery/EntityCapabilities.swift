// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// The hash by which a client announces what it can do (XEP-0115).
///
/// The hash is over a text in which every part ends with `<`, and several answers can have one text: what names a
/// feature in one may name a form in the other. Answers that play with that are refused as far as they can be told;
/// a client can still be taken for less than it is.
public enum EntityCapabilities {
  /// The namespace of the element in presence.
  public static let namespace = "http://jabber.org/protocol/caps"

  /// The hash of an answer, in Base64 (XEP-0115 §5.1).
  /// - Parameter algorithm: the hash function by its name in the registry, as `sha-1`.
  /// - Returns: nil for a function that we do not have.
  public static func hash(_ info: DiscoInfo, algorithm: String) -> String? {
    digest(algorithm).map { Base64.encode($0(text(info).utf8)) }
  }

  /// The hash of an answer by SHA-1, which every implementation knows (XEP-0115 §5.1).
  public static func hash(_ info: DiscoInfo) -> String { Base64.encode(Digest.sha1(text(info).utf8)) }

  /// Whether an answer is what was announced (XEP-0115 §5.4). Only then may it be believed of others who announce
  /// the same hash.
  /// - Parameters:
  ///   - hash: the attribute `ver` of what was announced.
  ///   - algorithm: the attribute `hash`.
  public static func verify(_ info: DiscoInfo, hash: String, algorithm: String) -> Bool {
    isWellFormed(info) && self.hash(info, algorithm: algorithm) == hash
  }

  private static func digest(_ name: String) -> Digest? {
    switch name {
    case "sha-1": .sha1
    case "sha-256": .sha256
    case "sha-512": .sha512
    default: nil
    }
  }
}

extension EntityCapabilities {
  /// The text that is hashed: "S" of XEP-0115 §5.1.
  static func text(_ info: DiscoInfo) -> String {
    var text = ""
    func append(_ part: String) {
      // The delimiter within a part stays as XML wrote it: §5.1 warns of the attack.
      for scalar in part.unicodeScalars {
        if scalar == "<" { text += "&lt;" } else { text.unicodeScalars.append(scalar) }
      }
      text += "<"
    }
    for identity in info.identities.sorted(by: precedes) { append(line(identity)) }
    for feature in info.features.sorted(by: precedes) { append(feature) }
    let forms = info.forms.compactMap { form in form.hashedType.map { (type: $0, form: form) } }
    for (type, form) in forms.sorted(by: { precedes($0.type, $1.type) }) {
      append(type)
      for field in form.fields.filter({ $0.name != "FORM_TYPE" }).sorted(by: { precedes($0.name, $1.name) }) {
        append(field.name)
        for value in field.values.sorted(by: precedes) { append(value) }
      }
    }
    return text
  }

  /// Whether an answer is one that a hash may stand for: nothing in it twice, and nothing that could be read as
  /// something else.
  private static func isWellFormed(_ info: DiscoInfo) -> Bool {
    let isAmbiguous = info.identities.contains { identity in
      [identity.category, identity.type, identity.language ?? ""].contains { $0.utf8.contains(UInt8(ascii: "/")) }
    }
    guard !info.identities.isEmpty, !isAmbiguous else { return false }
    guard Set(info.identities.map { Bytes(line($0)) }).count == info.identities.count,
      Set(info.features.map(Bytes.init)).count == info.features.count
    else { return false }
    let types = info.forms.compactMap(\.hashedType)
    guard Set(types.map(Bytes.init)).count == types.count else { return false }
    // A form whose type is two things at once could pass for either.
    return info.forms.allSatisfy { form in
      let named = form.fields.filter { $0.name == "FORM_TYPE" }
      return named.count <= 1 && Set((named.first?.values ?? []).map(Bytes.init)).count <= 1
    }
  }

  private static func line(_ identity: DiscoInfo.Identity) -> String {
    "\(identity.category)/\(identity.type)/\(identity.language ?? "")/\(identity.name ?? "")"
  }

  private static func precedes(_ left: DiscoInfo.Identity, _ right: DiscoInfo.Identity) -> Bool {
    let parts = { (identity: DiscoInfo.Identity) in
      [identity.category, identity.type, identity.language ?? "", identity.name ?? ""]
    }
    return parts(left).lexicographicallyPrecedes(parts(right), by: precedes)
  }

  /// The collation `i;octet`.
  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  /// A text compared by its bytes, where Swift would fold canonically equivalent ones.
  private struct Bytes: Hashable {
    let bytes: [UInt8]
    init(_ text: String) { bytes = Array(text.utf8) }
  }
}

extension DiscoInfo.Form {
  /// The type under which the form goes into the hash; nil for a form that is left out of it (§5.4).
  fileprivate var hashedType: String? {
    guard let field = fields.first(where: { $0.name == "FORM_TYPE" }), field.type == "hidden" else { return nil }
    return field.values.first
  }
}
