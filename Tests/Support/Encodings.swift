// SPDX-License-Identifier: Apache-2.0

/// Base64 of a log-in, where nothing of ours may be used.
public func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  var result = ""
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
    for place in 0..<4 {
      result.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : "=")
    }
  }
  return result
}

/// What Base64 stands for; what is none is passed over.
public func base64Decoded(_ text: some StringProtocol) -> [UInt8] {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var bytes: [UInt8] = []
  var bits = 0
  var count = 0
  for character in text.utf8 {
    guard let value = alphabet.firstIndex(of: character) else { continue }
    bits = (bits << 6 | value) & 0xffff
    count += 6
    if count >= 8 {
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> count))
    }
  }
  return bytes
}

/// SHA-1 in hexadecimal, as openssl says.
func sha1(_ text: String) throws -> String {
  let directory = try TemporaryDirectory()
  try writeFile(directory.file("text"), text)
  let output = try run(["openssl", "dgst", "-sha1", "-r", directory.file("text")]).output
  return String(output.prefix { $0 != " " })
}
