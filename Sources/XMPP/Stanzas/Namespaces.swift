// SPDX-License-Identifier: Apache-2.0

/// The namespaces of RFC 6120 and 6121, and of what else is said on a stream.
enum Namespace {
  static let client = "jabber:client"
  static let component = "jabber:component:accept"
  static let stream = "http://etherx.jabber.org/streams"
  static let streamErrors = "urn:ietf:params:xml:ns:xmpp-streams"
  static let stanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas"
  static let tls = "urn:ietf:params:xml:ns:xmpp-tls"
  static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
  static let channelBindings = "urn:xmpp:sasl-cb:0"
  static let bind = "urn:ietf:params:xml:ns:xmpp-bind"
  static let session = "urn:ietf:params:xml:ns:xmpp-session"
  static let management = "urn:xmpp:sm:3"
  static let clientState = "urn:xmpp:csi:0"
  static let ping = "urn:xmpp:ping"
}
