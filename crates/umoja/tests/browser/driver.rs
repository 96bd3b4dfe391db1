//! A browser under test: what a person does with it, as commands of the W3C's WebDriver protocol, which are a dozen small
//! HTTP requests.
//!
//! Invariant: one browser at a time, with an empty profile; browser and driver end with the test, also when it panics.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Request;
use http_body_util::Full;
use sdk::HttpClient;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Generous: a busy machine is slow, a page that is wrong never comes.
const PATIENCE: Duration = Duration::from_secs(60);
const MISSING: &str = "the tests of the pages drive a browser and find no `chromium` or no `chromedriver`: install both \
                       (Debian: `sudo apt-get install chromium chromium-driver`; elsewhere: put them into PATH)";
/// The name that WebDriver gives to a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Browsers are large.
static ROOM: Semaphore = Semaphore::const_new(1);

/// On what the pages are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// 360 by 740 pixels.
    Phone,
    /// The same, and pages may not run scripts.
    PhoneWithoutScript,
    /// The same with scripts, in the dark colours that a person may prefer.
    PhoneAtNight,
    Desktop,
}

pub struct Browser {
    http: HttpClient,
    view: View,
    session: String,
    process_id: u64,
    driver: Driver,
    _room: SemaphorePermit<'static>,
}

/// The program that commands the browser.
struct Driver {
    process: Child,
    port: u16,
    /// Kept open, so that the driver can write on.
    _output: BufReader<ChildStdout>,
    /// Removed at the end.
    profile: tempfile::TempDir,
}

impl Browser {
    pub async fn open(view: View) -> Self {
        let room = ROOM.acquire().await.unwrap();
        let browser = in_path("chromium").expect(MISSING);
        let driver = Driver::start(&in_path("chromedriver").expect(MISSING));
        let options = view.options(&browser, driver.profile.path());
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let mut this =
            Self { http: HttpClient::new(), view, session: String::new(), process_id: 0, driver, _room: room };
        let answer = this.command("POST", "", json!({"capabilities": {"alwaysMatch": wanted}})).await;
        this.session = format!("/{}", answer["sessionId"].as_str().unwrap());
        this.process_id = answer["capabilities"]["goog:processID"].as_u64().unwrap();
        if view == View::PhoneAtNight {
            let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
            let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": dark});
            this.command("POST", "/goog/cdp/execute", command).await;
        }
        this
    }

    pub async fn visit(&self, url: &str) {
        self.command("POST", "/url", json!({"url": url})).await;
        self.look_over().await;
    }

    /// Writes into the field with this label, instead of what is there.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.element(&field(label)).await;
        self.command("POST", &format!("/element/{field}/clear"), json!({})).await;
        self.command("POST", &format!("/element/{field}/value"), json!({"text": text})).await;
    }

    /// Chooses one of a list, or a radio button or box, by its words.
    pub async fn choose(&self, words: &str) {
        let radio = format!("//label[normalize-space(.)=\"{words}\"]//input");
        let choice = self.element(&format!("//option[normalize-space(.)=\"{words}\"] | {radio}")).await;
        self.click(&choice).await;
    }

    pub async fn press(&self, button: &str) {
        let button = self.element(&format!("//button[normalize-space(.)=\"{button}\"]")).await;
        self.leave_by(&button).await;
    }

    /// Follows the first link whose words contain these.
    pub async fn follow(&self, words: &str) {
        let link = self.element(&format!("//a[contains(normalize-space(.), \"{words}\")]")).await;
        self.leave_by(&link).await;
    }

    /// What the page says, without its header and footer; the cells of a row with blanks between them.
    pub async fn text(&self) -> String {
        let text = self.run_on_a_whole_page("return document.querySelector('main').innerText").await;
        text.as_str()
            .unwrap()
            .split('\n')
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect()
    }

    /// The text of the page, as soon as it says all of this.
    pub async fn sees(&self, wanted: &[&str]) -> String {
        let started = Instant::now();
        loop {
            let text = self.text().await;
            let Some(missing) = wanted.iter().find(|wanted| !text.contains(**wanted)) else { return text };
            assert!(started.elapsed() < PATIENCE, "no '{missing}' in {text}");
        }
    }

    /// The page again, until it says this.
    pub async fn sees_after_reloading(&self, wanted: &str) -> String {
        let started = Instant::now();
        loop {
            let text = self.text().await;
            if text.contains(wanted) {
                return text;
            }
            assert!(started.elapsed() < PATIENCE, "no '{wanted}' in {text}");
            self.command("POST", "/refresh", json!({})).await;
        }
    }

    /// What is written in the field with this label.
    pub async fn value(&self, label: &str) -> String {
        let field = self.element(&field(label)).await;
        let value = self.command("GET", &format!("/element/{field}/property/value"), Value::Null).await;
        value.as_str().unwrap().to_owned()
    }

    /// An attribute of the first element with a CSS selector.
    pub async fn attribute(&self, selector: &str, name: &str) -> String {
        let found = self.command("POST", "/element", json!({"using": "css selector", "value": selector})).await;
        let element = found[ELEMENT].as_str().unwrap();
        let value = self.command("GET", &format!("/element/{element}/attribute/{name}"), Value::Null).await;
        value.as_str().unwrap_or_default().to_owned()
    }

    pub async fn address(&self) -> String {
        self.command("GET", "/url", Value::Null).await.as_str().unwrap().to_owned()
    }

    /// The page before this one, as the browser's own button shows it.
    pub async fn back(&self) {
        self.command("POST", "/back", json!({})).await;
    }

    /// Presses a key, with the focus where it is, and says what has it then: its role and name for a screen reader.
    pub async fn tab(&self) -> String {
        let keys = json!({"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": "\u{e004}"}, {"type": "keyUp", "value": "\u{e004}"},
        ]});
        self.command("POST", "/actions", json!({"actions": [keys]})).await;
        let found = self.command("GET", "/element/active", Value::Null).await;
        let element = found[ELEMENT].as_str().unwrap().to_owned();
        let role = self.command("GET", &format!("/element/{element}/computedrole"), Value::Null).await;
        let name = self.command("GET", &format!("/element/{element}/computedlabel"), Value::Null).await;
        format!("{} {}", role.as_str().unwrap(), name.as_str().unwrap().trim())
    }

    /// Runs a function body in the page; the driver's right, also where pages may not run scripts.
    pub async fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", json!({"script": script, "args": []})).await
    }

    /// Leaves a picture of the whole page in the target directory.
    pub async fn picture(&self, name: &str) {
        let parameters = json!({"captureBeyondViewport": true, "format": "png"});
        let command = json!({"cmd": "Page.captureScreenshot", "params": parameters});
        let answer = self.command("POST", "/goog/cdp/execute", command).await;
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser");
        fs::create_dir_all(&directory).unwrap();
        let picture = STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
        fs::write(directory.join(format!("{name}-{}.png", self.view.word())), picture).unwrap();
    }

    /// Clicks what leads to another page, and looks that one over when it is there.
    async fn leave_by(&self, element: &str) {
        self.run("window.isOld = true").await;
        self.click(element).await;
        self.look_over().await;
    }

    /// Runs a function body when the page has come, its style included. A page that loads itself again meanwhile is waited for.
    async fn run_on_a_whole_page(&self, script: &str) -> Value {
        let script = format!("if (window.isOld || document.readyState !== 'complete') return null;\n{script}");
        let started = Instant::now();
        loop {
            let answer = self.try_command("POST", "/execute/sync", json!({"script": script, "args": []})).await;
            match answer {
                Ok(value) if !value.is_null() => return value,
                Ok(_) | Err(_) => tokio::task::yield_now().await,
            }
            assert!(started.elapsed() < PATIENCE, "no page comes");
        }
    }

    /// What would be in the way of somebody with a small screen, a screen reader or weak eyes.
    async fn look_over(&self) {
        let found = self.run_on_a_whole_page(include_str!("accessibility.js")).await;
        let faults: Vec<&str> = found.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(faults.is_empty(), "{} ({}): {faults:#?}", self.address().await, self.view.word());
    }

    async fn click(&self, element: &str) {
        self.command("POST", &format!("/element/{element}/click"), json!({})).await;
    }

    async fn element(&self, xpath: &str) -> String {
        let found = self.command("POST", "/element", json!({"using": "xpath", "value": xpath})).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn command(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.try_command(method, path, body).await;
        answer.unwrap_or_else(|message| panic!("{method} {path}: {message}"))
    }

    /// Errors: what the driver says.
    async fn try_command(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}/session{}{path}", self.driver.port, self.session))
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .unwrap();
        let answer = self.http.send(request, PATIENCE).await.unwrap();
        let value: Value = serde_json::from_slice(answer.body()).unwrap();
        if answer.status().is_success() {
            return Ok(value["value"].clone());
        }
        Err(value["value"]["message"].as_str().unwrap_or_default().to_owned())
    }
}

impl View {
    fn options(self, browser: &Path, profile: &Path) -> Value {
        let profile = format!("--user-data-dir={}", profile.display());
        let mut options = json!({
            "binary": browser,
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--window-size=1280,900", profile,
            ],
        });
        let screen = json!({"deviceMetrics": {"width": 360, "height": 740, "pixelRatio": 1, "touch": false}});
        match self {
            Self::Desktop => {}
            Self::Phone | Self::PhoneAtNight => options["mobileEmulation"] = screen,
            Self::PhoneWithoutScript => {
                options["mobileEmulation"] = screen;
                options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
            }
        }
        options
    }

    fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::PhoneWithoutScript => "phone-without-script",
            Self::PhoneAtNight => "phone-at-night",
            Self::Desktop => "desktop",
        }
    }
}

impl Driver {
    fn start(program: &Path) -> Self {
        let mut process = Command::new(program).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "chromedriver ended before it named its port");
            if let Some((_, port)) = line.trim().trim_end_matches('.').split_once("successfully on port ") {
                break port.parse().unwrap();
            }
        };
        Self { process, port, _output: output, profile: tempfile::tempdir().unwrap() }
    }
}

impl Drop for Browser {
    /// Asks the browser to end, then makes sure: it is no child of this process.
    fn drop(&mut self) {
        if self.process_id == 0 {
            return;
        }
        let asked = TcpStream::connect(("127.0.0.1", self.driver.port)).and_then(|mut socket| {
            socket.set_read_timeout(Some(Duration::from_secs(10)))?;
            write!(socket, "DELETE /session{} HTTP/1.1\r\nHost: localhost\r\n\r\n", self.session)?;
            // The answer begins when the browser has ended.
            socket.read_exact(&mut [0])
        });
        if asked.is_err() {
            // It may have gone meanwhile.
            let _ = Command::new("kill").args(["-KILL", &self.process_id.to_string()]).status();
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The field that a label is for.
fn field(label: &str) -> String {
    let label = format!("//label[normalize-space(.)=\"{label}\"]");
    format!("//*[@id={label}/@for] | {label}//input")
}

fn in_path(program: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|directory| directory.join(program)).find(|path| path.is_file())
}
