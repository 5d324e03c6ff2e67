// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import XMPP

/// Where objects are found on the bus: one subtree for each uid, one object for each of its accounts.
enum ObjectPaths {
  static let manager: ObjectPath = "/org/nightcloak/Presence1"

  /// The subtree of a uid. It exists for its own uid from the start.
  static func subtree(_ uid: UInt32) -> String { "\(manager)/u\(uid)" }

  /// The object of an account.
  static func account(_ jid: BareJID, of uid: UInt32) -> String { "\(subtree(uid))/\(component(jid.description))" }

  /// A text as one component of an object path: every byte outside `[A-Za-z0-9]` is written `_xx` in hex.
  static func component(_ text: String) -> String {
    let digits = Array("0123456789abcdef")
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        result.append(Character(UnicodeScalar(byte)))
      default:
        result.append("_")
        result.append(digits[Int(byte >> 4)])
        result.append(digits[Int(byte & 15)])
      }
    }
    return result
  }
}
