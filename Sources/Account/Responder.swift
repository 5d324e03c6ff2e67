// SPDX-License-Identifier: Apache-2.0

internal import XML
package import XMPP

/// Answers the IQs of those who may know that we are there.
package enum Responder {
  /// The answer to a get or set: our capabilities, a ping's echo, or that we do not know it.
  package static func answer(to iq: IQ, _ own: OwnCapabilities) -> IQ {
    guard iq.type == .get, let query = iq.payload.first else { return refusal(of: iq) }
    switch (query.name, query.namespace) {
    case ("ping", "urn:xmpp:ping"): return acknowledgement(of: iq)
    case ("query", DiscoInfo.namespace): return capabilities(iq, node: query.attribute("node"), own)
    default: return refusal(of: iq)
    }
  }

  /// An empty result.
  static func acknowledgement(of iq: IQ) -> IQ { iq.result() }

  /// The error for what we do not know (RFC 6120 §8.4).
  package static func refusal(of iq: IQ) -> IQ { iq.failure(StanzaError(.serviceUnavailable)) }

  private static func capabilities(_ iq: IQ, node: String?, _ own: OwnCapabilities) -> IQ {
    guard node == nil || node == "\(OwnCapabilities.node)#\(own.hash)" else {
      return iq.failure(StanzaError(.itemNotFound))
    }
    return iq.result(own.info.element(node: node))
  }
}
