// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// One place for what every target of ours is compiled with.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // A release must still build with the compiler after the next, which will warn of something else.
  .treatAllWarnings(as: .error, .when(configuration: .debug)),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// A target of Swift code; what it may import is what is listed here and nothing else.
func room(_ name: String, _ uses: [Target.Dependency] = [], plugins: [Target.PluginUsage] = []) -> Target {
  .target(name: name, dependencies: uses, swiftSettings: settings, plugins: plugins)
}

func tests(_ name: String, _ uses: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: uses, resources: resources, swiftSettings: settings)
}

func program(_ name: String, _ uses: [Target.Dependency], path: String? = nil) -> Target {
  .executableTarget(name: name, dependencies: uses, path: path, swiftSettings: settings)
}

func systemLibrary(_ name: String, pkgConfig: String, debian: String) -> Target {
  .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}

let package = Package(
  name: "nightcloak",
  products: [
    .executable(name: "nightcloakd", targets: ["nightcloakd"]),
    .executable(name: "nightcloak-loopback", targets: ["nightcloak-loopback"]),
    .executable(name: "nightcloak-demo", targets: ["nightcloak-demo"]),
    .executable(name: "nightcloak-bench", targets: ["nightcloak-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    // The ground: system libraries, and what the Swift importer cannot see of them.
    systemLibrary("CDBus", pkgConfig: "dbus-1", debian: "libdbus-1-dev"),
    systemLibrary("COpenSSL", pkgConfig: "openssl", debian: "libssl-dev"),
    systemLibrary("CXML", pkgConfig: "libxml-2.0", debian: "libxml2-dev"),
    systemLibrary("CAres", pkgConfig: "libcares", debian: "libc-ares-dev"),
    systemLibrary("CIDN", pkgConfig: "libidn", debian: "libidn-dev"),
    systemLibrary("CSQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
    .systemLibrary(name: "CLinux", path: "Sources/CLinux"),

    // The core: the standard library, and collections that cost what changes.
    room(
      "Audience",
      [
        .product(name: "HashTreeCollections", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ]),

    // The rooms, lowest first.
    room("EventLoop", ["CLinux", .product(name: "HeapModule", package: "swift-collections")]),
    room("Crypto", ["COpenSSL"]),
    room("TLS", ["CLinux", "COpenSSL", "EventLoop"]),
    room("Network", ["CAres", "CLinux", "EventLoop", "TLS"]),
    room("XML", ["CXML"]),
    room("DBus", ["CDBus", "EventLoop"]),
    room("DBusInterfaces", ["DBus", "EventLoop"], plugins: ["DBusCodegenPlugin"]),
    room("XMPP", ["CIDN", "CLinux", "Crypto", "EventLoop", "Network", "TLS", "XML", logging]),
    room("Store", ["CLinux", "CSQLite", "EventLoop"]),
    room("Account", ["Audience", "Crypto", "EventLoop", "Store", "XML", "XMPP", logging]),
    room("Gateway", ["Account", "Audience", "EventLoop", "Store", "XML", "XMPP", logging]),
    room(
      "PresenceService",
      [
        "Account", "Audience", "DBus", "DBusInterfaces", "EventLoop", "Gateway", "Network", "Store", "TLS", "XMPP",
        "CLinux", logging,
      ]),

    // The embedded server that every mechanism of visibility can be tested on.
    room("LoopbackServer", ["Audience", "EventLoop", "TLS", "XML", "XMPP", logging]),

    // For the demo and the bench: starting other programs; and in plain C what ours is measured against.
    room("Processes", ["EventLoop"]),
    .target(name: "BenchBaseline", dependencies: ["CDBus", "CXML"]),

    // The programs: options, wiring, nothing else.
    program("nightcloakd", ["DBus", "EventLoop", "Network", "PresenceService", "Store", "CLinux", logging]),
    program("nightcloak-loopback", ["CLinux", "EventLoop", "LoopbackServer", "XMPP", "XML", logging]),
    program("nightcloak-demo", ["DBus", "DBusInterfaces", "EventLoop", "Processes", "XML"]),
    program(
      "nightcloak-bench",
      ["BenchBaseline", "CDBus", "Crypto", "DBus", "DBusInterfaces", "EventLoop", "Processes", "XML"]),

    // The generator of typed D-Bus skeletons and proxies from dbus-interfaces/*.xml.
    program("dbus-codegen", ["CXML"]),
    .plugin(
      name: "DBusCodegenPlugin", capability: .buildTool(), dependencies: ["dbus-codegen"],
      path: "Sources/DBusCodegenPlugin"),

    // Tests: one target per room, then the whole program under the Witness.
    .systemLibrary(name: "CWitness", path: "Tests/CWitness"),
    .target(name: "Support", dependencies: ["COpenSSL", "CWitness"], path: "Tests/Support", swiftSettings: settings),
    .target(name: "Waiting", dependencies: ["EventLoop"], path: "Tests/Waiting", swiftSettings: settings),
    tests("AudienceTests", ["Audience"]),
    tests("EventLoopTests", ["EventLoop"]),
    tests("CryptoTests", ["Crypto"]),
    tests("TLSTests", ["COpenSSL", "TLS", "EventLoop"]),
    tests("NetworkTests", ["CLinux", "EventLoop", "Network", "Support", "TLS"]),
    tests("XMLTests", ["XML"]),
    tests(
      "DBusTests", ["CDBus", "CWitness", "DBus", "DBusInterfaces", "EventLoop", "Support", "dbus-codegen"],
      resources: [.copy("Fixtures")]),
    tests("XMPPTests", ["XMPP", "XML", "TLS", "EventLoop", "Crypto", "Network", "Support", "Waiting", logging]),
    tests("StoreTests", ["CSQLite", "EventLoop", "Store", "Support"]),
    tests("AccountTests", ["Account", "Audience", "EventLoop", "Store", "XML", "XMPP", logging]),
    tests("GatewayTests", ["Account", "Audience", "EventLoop", "Gateway", "Store", "XML", "XMPP", logging]),
    tests(
      "LoopbackServerTests", ["EventLoop", "LoopbackServer", "Support", "Waiting", "XML", "XMPP", logging]),
    tests(
      "PresenceServiceTests",
      [
        "Account", "Audience", "CWitness", "DBus", "EventLoop", "Gateway", "PresenceService", "Store", "Support", "TLS",
        "XMPP",
      ]),
    tests("DaemonTests", ["Support", "nightcloakd"]),
    tests("LoopbackTests", ["LoopbackServer", "Support", "XMPP", "nightcloak-loopback"]),
    .target(name: "Outside", dependencies: ["Support"], path: "Tests/Outside", swiftSettings: settings),
    tests("WitnessTests", ["Outside", "Support"]),
    tests("FaultTests", ["Support"]),
    program("VisibilityDriver", ["Outside", "Support"], path: "Tests/VisibilityDriver"),
    program("Endurance", ["Support"], path: "Tests/Endurance"),
  ]
)
