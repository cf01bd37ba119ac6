import ArgumentParser
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeServer
import EdgeTLS

/// `sluice demo`: the whole thing on one machine, with nothing to set up.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Runs an edge, two chat workers and a page, with a self-signed certificate and keys of its own.")

  @Option(help: "The port of the page, on loopback; 0 lets the kernel choose.")
  var port: UInt16 = 8443

  @Option(help: "The port of the admin endpoint, on loopback; 0 lets the kernel choose.")
  var adminPort: UInt16 = 9901

  @Option(help: "How long a login lasts, such as 2m: the page renews it in time.")
  var tokenLifetime = LifetimeArgument(duration: .seconds(900))

  func run() throws {
    SignalSource.ignoreBrokenPipes()
    TLSLibrary.keepMemory()
    let site = try DemoSite(tokenLifetime: tokenLifetime.duration)
    defer { site.remove() }
    try site.waitForWorkers()
    do throws(StartError) {
      let source = site.configuration(port: port, adminPort: adminPort)
      let server = try Server(try source.readOwn(), from: source, version: .current)
      StandardStreams.writeOutput(
        """

        Open \(site.url(of: server)) in two browser windows, and chat.
        The certificate is the demo's own: the browser will ask you to accept it. Ctrl-C ends the demo.

        The console is at \(site.consoleURL(of: server)); its token is \(site.adminToken)


        """)
      server.run()
    } catch {
      throw ExitCode.saying(error)
    }
  }
}
