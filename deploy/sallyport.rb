# Text of a Homebrew formula. It does not work yet, because no version is published: before the first release, replace
# URL and SHA-256 by those of the package at npm (`npm view sallyport dist.tarball`, `shasum -a 256`).
class Sallyport < Formula
  desc "API keys, permissions and an audit log in front of Ollama"
  homepage "https://www.npmjs.com/package/sallyport"
  url "https://registry.npmjs.org/sallyport/-/sallyport-0.1.0.tgz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "Apache-2.0"

  depends_on "node"

  def install
    system "npm", "install", *std_npm_args
    bin.install_symlink libexec.glob("bin/*")
    generate_completions_from_executable(bin/"sallyport", "completion")
  end

  service do
    run [opt_bin/"sallyport", "serve"]
    keep_alive true
    log_path var/"log/sallyport.log"
    error_log_path var/"log/sallyport.log"
    working_dir var
    environment_variables SALLYPORT_DATA: var/"sallyport"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/sallyport --version")
    system bin/"sallyport", "init", "--json", "--data", testpath/"data"
  end
end
