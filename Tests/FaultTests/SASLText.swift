// SPDX-License-Identifier: Apache-2.0

import Support

/// Changes the message in an element of SASL.
func changingMessage(_ element: String, _ change: (String) -> String) -> String {
  guard let start = element.firstIndex(of: ">"), let end = element.lastIndex(of: "<"), start < end else {
    return element
  }
  let inside = element[element.index(after: start)..<end]
  let message = change(String(decoding: base64Decoded(inside), as: UTF8.self))
  return element[...start] + base64(Array(message.utf8)) + element[end...]
}
