// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@testable import XMPP

@Suite("Entity capabilities")
struct CapabilitiesTests {
  static let features = [
    "http://jabber.org/protocol/muc", "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps",
  ]
  static let simple = DiscoInfo(
    identities: [DiscoInfo.Identity(category: "client", type: "pc", name: "Exodus 0.9.1")], features: features)
  static let form = DiscoInfo.Form(
    type: "urn:xmpp:dataforms:softwareinfo",
    [
      DiscoInfo.Form.Field("software_version", values: ["0.11"]),
      DiscoInfo.Form.Field("ip_version", type: "text-multi", values: ["ipv6", "ipv4"]),
      DiscoInfo.Form.Field("software", values: ["Psi"]), DiscoInfo.Form.Field("os_version", values: ["10.5.1"]),
      DiscoInfo.Form.Field("os", values: ["Mac"]),
    ])
  static let complex = DiscoInfo(
    node: "http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w=",
    identities: [
      DiscoInfo.Identity(category: "client", type: "pc", language: "en", name: "Psi 0.11"),
      DiscoInfo.Identity(category: "client", type: "pc", language: "el", name: "\u{3A8} 0.11"),
    ], features: features, forms: [form])

  @Test("The examples of the specification come out")
  func examples() {
    #expect(EntityCapabilities.hash(Self.simple) == "QgayPKawpkPSDYmwT/WM94uAlu0=")
    #expect(EntityCapabilities.hash(Self.complex) == "q07IKJEyjvHSyhy//CH0CxmKi8w=")
    #expect(EntityCapabilities.verify(Self.complex, hash: "q07IKJEyjvHSyhy//CH0CxmKi8w=", algorithm: "sha-1"))
  }

  @Test("The other hash functions are known by their names, and unknown ones are never believed")
  func algorithms() throws {
    for name in ["sha-1", "sha-256", "sha-512"] {
      let hash = try #require(EntityCapabilities.hash(Self.simple, algorithm: name))
      #expect(EntityCapabilities.verify(Self.simple, hash: hash, algorithm: name))
      #expect(!EntityCapabilities.verify(Self.simple, hash: hash + "=", algorithm: name))
    }
    for name in ["md5", "SHA-1", "", "sha-384"] {
      #expect(EntityCapabilities.hash(Self.simple, algorithm: name) == nil)
      #expect(!EntityCapabilities.verify(Self.simple, hash: "", algorithm: name))
    }
  }

  @Test("What goes over the wire comes back, and has the same hash")
  func wire() throws {
    let element = try Element.parse(Self.complex.element().serialized())
    let read = try DiscoInfo(element)
    #expect(read == Self.complex)
    #expect(Self.simple.element(node: "n#v").attribute("node") == "n#v")
    #expect(Self.simple.element().attribute("node") == nil)
  }

  @Test("The language of the stream around an identity is not the identity's")
  func inheritedLanguage() throws {
    let element = try Element.parse(
      "<query xmlns='\(DiscoInfo.namespace)' xml:lang='en'><identity category='client' type='pc'/></query>")
    #expect(try DiscoInfo(element).identities == [DiscoInfo.Identity(category: "client", type: "pc")])
  }

  static func verifies(_ change: (inout DiscoInfo) -> Void) -> Bool {
    var info = Self.complex
    change(&info)
    return EntityCapabilities.verify(info, hash: EntityCapabilities.hash(info), algorithm: "sha-1")
  }

  @Test("An answer that says something twice, or could be read in two ways, is not believed")
  func illFormed() {
    #expect(Self.verifies { _ in })
    #expect(!Self.verifies { $0.features.append($0.features[0]) })
    #expect(!Self.verifies { $0.identities.append($0.identities[0]) })
    #expect(!Self.verifies { $0.forms.append($0.forms[0]) })
    #expect(!Self.verifies { $0.identities = [] })
    #expect(!Self.verifies { $0.identities.append(DiscoInfo.Identity(category: "a/b", type: "c")) })
    let type = { DiscoInfo.Form.Field("FORM_TYPE", type: "hidden", values: $0) }
    #expect(Self.verifies { $0.forms.append(DiscoInfo.Form([type(["x", "x"])])) })
    #expect(!Self.verifies { $0.forms.append(DiscoInfo.Form([type(["x", "y"])])) })
    #expect(!Self.verifies { $0.forms.append(DiscoInfo.Form([type(["x"]), type(["y"])])) })
  }

  @Test("A form without a hidden type is left out of the hash")
  func formsLeftOut() {
    var info = Self.complex
    info.forms.append(DiscoInfo.Form([DiscoInfo.Form.Field("FORM_TYPE", type: "text-single", values: ["x"])]))
    info.forms.append(DiscoInfo.Form([DiscoInfo.Form.Field("a", values: ["b"])]))
    info.forms.append(DiscoInfo.Form([]))
    #expect(EntityCapabilities.verify(info, hash: "q07IKJEyjvHSyhy//CH0CxmKi8w=", algorithm: "sha-1"))
  }

  @Test("A delimiter inside a part does not end the part")
  func delimiter() {
    let merged = DiscoInfo(identities: Self.simple.identities, features: ["a<b"])
    let apart = DiscoInfo(identities: Self.simple.identities, features: ["a", "b"])
    #expect(EntityCapabilities.hash(merged) != EntityCapabilities.hash(apart))
    #expect(EntityCapabilities.text(merged) == "client/pc//Exodus 0.9.1<a&lt;b<")
    let marked = DiscoInfo(identities: Self.simple.identities, features: ["a<\u{338}b"])
    #expect(Array(EntityCapabilities.text(marked).utf8) == Array("client/pc//Exodus 0.9.1<a&lt;\u{338}b<".utf8))
  }

  @Test("Identities are sorted part by part, everything by bytes")
  func sorting() {
    let info = DiscoInfo(
      identities: [
        DiscoInfo.Identity(category: "a-b", type: "t"), DiscoInfo.Identity(category: "a", type: "z"),
        DiscoInfo.Identity(category: "a", type: "Z"),
      ], features: ["b", "B", "\u{FF5E}", "\u{1F600}"])
    #expect(EntityCapabilities.text(info) == "a/Z//<a/z//<a-b/t//<B<b<\u{FF5E}<\u{1F600}<")
  }

  @Test(
    "What is no answer is refused",
    arguments: [
      "<query xmlns='http://jabber.org/protocol/disco#items'/>",
      "<query xmlns='http://jabber.org/protocol/disco#info'><feature/></query>",
      "<query xmlns='http://jabber.org/protocol/disco#info'><identity type='pc'/></query>",
      "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client'/></query>",
    ])
  func refusals(text: String) throws {
    let element = try Element.parse(text)
    #expect(throws: MalformedStanza.self) { try DiscoInfo(element) }
  }
}
