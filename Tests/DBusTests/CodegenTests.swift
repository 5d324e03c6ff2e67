// SPDX-License-Identifier: Apache-2.0

import DBus
import DBusInterfaces
import Foundation
import Testing

@testable import dbus_codegen

@Suite("The generator")
struct CodegenTests {
  private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
  private static let fixture = here + "/Fixtures/org.nightcloak.Test1.Everything.xml"

  @Test("What it writes for the fixture is what these tests are compiled with")
  func golden() throws {
    let written = try generate(Interface(contentsOf: Self.fixture))
    let expected = try String(contentsOfFile: Self.here + "/Generated/EverythingInterface.swift", encoding: .utf8)
    #expect(written == expected, "run dbus-codegen over the fixture again")
  }

  @Test("Nothing in a generated server protocol has a default implementation")
  func noDefaults() throws {
    let interface = try Interface(contentsOf: Self.fixture)
    let text = try generate(interface)
    #expect(!text.contains("extension "))
    let lines = try serverProtocol(interface)
    for method in interface.methods { #expect(lines.contains { $0.contains("func \(swiftName(method.name))(") }) }
    for property in interface.properties where property.isReadable {
      #expect(lines.contains { $0.contains("var \(swiftName(property.name)): ") })
    }
    for property in interface.properties where property.isWritable {
      #expect(lines.contains { $0.contains("func set\(property.name)(_ value: ") })
    }
  }

  @Test(
    "Types of D-Bus become types of Swift",
    arguments: [
      ("s", "String"), ("o", "ObjectPath"), ("as", "[String]"), ("a{sv}", "[String: Value]"),
      ("aa{sv}", "[[String: Value]]"), ("a{oa{sa{sv}}}", "[ObjectPath: [String: [String: Value]]]"),
      ("a(ssss)", "[Structure<String, String, String, String>]"),
      ("(s(ub)h)", "Structure<String, Structure<UInt32, Bool>, UnixFD>"),
    ])
  func types(_ signature: String, _ type: String) throws {
    #expect(try SwiftType(signature).text == type)
  }

  @Test(
    "A signature that is not of one type is refused",
    arguments: ["", "ss", "a", "a{vs}", "a{s}", "(", "()", "(s", "{ss}", "z"])
  func badTypes(_ signature: String) {
    #expect(throws: GeneratorError.self) { try SwiftType(signature) }
  }

  @Test(
    "Names become lower camel case",
    arguments: [
      ("ListRequests", "listRequests"), ("IQReceived", "iqReceived"), ("SendIQ", "sendIQ"), ("out_y", "outY"),
      ("URL", "url"),
    ])
  func names(_ name: String, _ expected: String) {
    #expect(swiftName(name) == expected)
  }

  @Test(
    "A mistake in the XML is an error that says what is wrong",
    arguments: [
      ("<interface name='a.b'><method/></interface>", "no attribute name"),
      ("<interface name='a.b'><method name='M'><arg type='q{'/></method></interface>", "not the signature"),
      ("<interface name='a.b'><property name='P' type='s' access='all'/></interface>", "no access"),
      ("<interface name='a.b'><metod name='M'/></interface>", "not known"),
      ("<interface name='ab'/>", "no valid interface name"),
      ("<interface name='a.b'/><interface name='a.c'/>", "one <interface>"),
      ("<interface name='a.b'>", "well-formed"),
    ])
  func mistakes(_ content: String, _ expected: String) throws {
    let path = NSTemporaryDirectory() + "nightcloak-\(UUID()).xml"
    try "<node>\n\(content)\n</node>\n".write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      _ = try Interface(contentsOf: path)
      Issue.record("It was accepted")
    } catch let error as GeneratorError {
      #expect(error.description.contains(expected))
    }
  }

  @Test("The interfaces of the daemon carry their XML, comments included")
  func daemonInterfaces() {
    for interface in [
      ManagerSkeleton.interface, ConnectionSkeleton.interface, DecloakSkeleton.interface, VisibilitySkeleton.interface,
      StanzasSkeleton.interface,
    ] {
      #expect(interface.xml.contains("<interface name=\"\(interface.name)\">"))
      #expect(interface.xml.contains("<!--"))
      for method in interface.methods { #expect(interface.xml.contains("<method name=\"\(method.name)\"")) }
    }
  }
}
