// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import TLS

/// The parameters that an account proves itself by: a password, a certificate of its own, or both. Each may come
/// through a descriptor, so that it never goes over the bus.
struct Credentials {
  /// How large a certificate may be with its key and those that vouch for it.
  static let mostCertificateBytes = 64 * 1024

  private let takesCertificate: Bool
  private let password: String?
  private let passwordPipe: UnixFD?
  private let certificateFile: String?
  private let certificatePipe: UnixFD?

  /// Takes them out of the parameters.
  /// - Parameter takesCertificate: whether one can be used; otherwise it is left in the parameters.
  init(_ parameters: inout Options, takesCertificate: Bool = true) throws(DBusError) {
    self.takesCertificate = takesCertificate
    password = try parameters.take("password")
    passwordPipe = try parameters.take("password-fd")
    certificateFile = takesCertificate ? try parameters.take("client-certificate") : nil
    certificatePipe = takesCertificate ? try parameters.take("client-certificate-fd") : nil
  }

  var hasCertificate: Bool { certificateFile != nil || certificatePipe != nil }

  /// Refuses what does not go together, and nothing at all.
  func check() throws(DBusError) {
    for (one, other, key) in [
      (password != nil, passwordPipe != nil, "password"),
      (certificateFile != nil, certificatePipe != nil, "client-certificate"),
    ] where one && other {
      throw DBusError(.invalidArgs, "Give either \"\(key)\" or \"\(key)-fd\", not both.")
    }
    guard password != nil || passwordPipe != nil || hasCertificate else {
      throw DBusError(
        .invalidArgs,
        "A password is missing: give \"password\" or \"password-fd\""
          + (takesCertificate ? ", or a certificate to log in with as \"client-certificate\"." : "."))
    }
  }

  /// Reads them.
  /// - Parameter uid: whose they are.
  /// - Returns: the password, empty where there is none, and the certificate.
  @LoopActor func read(for uid: UInt32) async throws -> (password: String, certificate: ClientCertificate?) {
    let certificate = try await certificate(of: uid)
    if let passwordPipe { return (try await SecretPipe.read(passwordPipe), certificate) }
    return (password ?? "", certificate)
  }

  @LoopActor private func certificate(of uid: UInt32) async throws -> ClientCertificate? {
    let pem: [UInt8]
    if let certificateFile {
      pem = try await CallersFile.read(
        certificateFile, of: uid, "client-certificate", atMost: Self.mostCertificateBytes)
    } else if let certificatePipe {
      pem = try await SecretPipe.bytes(
        of: certificatePipe, "client-certificate-fd", atMost: Self.mostCertificateBytes)
    } else {
      return nil
    }
    do throws(TransportError) {
      return try ClientCertificate(pem: pem)
    } catch {
      let key = certificateFile == nil ? "client-certificate-fd" : "client-certificate"
      throw DBusError(.invalidArgs, "\"\(key)\": \(error).")
    }
  }
}
