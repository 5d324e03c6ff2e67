// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import XML

// How a component of the server gets in (XEP-0114): it shows that it knows the secret of its domain.

extension ServerNegotiation {
  mutating func openedComponent(_ header: Element) -> [Effect] {
    component = header.attribute("to") ?? ""
    guard let domain = header.attribute("to").flatMap({ try? BareJID($0) }), domain.localpart == nil else {
      return end(.hostUnknown)
    }
    state = .awaitingSecret(domain: domain.description)
    return [.findSecret(domain: domain.description)]
  }

  mutating func answer(secret: String?, _ domain: String) -> [Effect] {
    guard let secret, !secret.isEmpty else { return end(.hostUnknown) }
    let id = random()
    hasOpened = true
    state = .awaitingHandshake(domain: domain, digest: Hex.encode(Digest.sha1((id + secret).utf8)))
    return [.send(ServerHeader.text(toComponent: domain, id: id))]
  }

  mutating func receivedHandshake(_ element: Element, _ domain: String, _ digest: String) -> [Effect] {
    guard element.matches("handshake", Namespace.component),
      constantTimeEqual(Array(element.text.utf8), Array(digest.utf8))
    else { return end(.notAuthorized) }
    state = .over
    return [.send("<handshake/>"), .beginComponent(domain: domain)]
  }
}
