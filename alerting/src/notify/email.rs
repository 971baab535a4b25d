//! E-mail over SMTP, text and HTML, the sentence in the first line.

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::{Deserialize, Serialize};

use super::receiver::yes;
use super::{Notification, SendError, retry, text};
use crate::limits::SEND_TIMEOUT;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// `host:port` of the SMTP server.
    pub smarthost: String,
    pub from: String,
    /// Addresses, separated by commas.
    pub to: String,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
    /// Absent: `starttls`, but `opportunistic` for a server on loopback.
    #[serde(default)]
    pub tls: Option<EmailTls>,
    /// The name in EHLO.
    #[serde(default)]
    pub hello: Option<String>,
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailTls {
    None,
    /// STARTTLS when the server offers it.
    Opportunistic,
    /// STARTTLS or nothing.
    Starttls,
    /// TLS from the first byte (port 465).
    Wrapped,
}

pub(crate) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    pub(crate) fn new(config: &EmailConfig) -> Result<Self, String> {
        let (host, port) = config
            .smarthost
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host.trim_matches(['[', ']']), port.parse::<u16>().ok()?)))
            .ok_or_else(|| format!("smarthost {:?} is not of the form host:port", config.smarthost))?;
        let mailbox = |text: &str| text.trim().parse::<Mailbox>().map_err(|error| format!("address {text:?}: {error}"));
        let to = config.to.split(',').map(mailbox).collect::<Result<Vec<_>, _>>()?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .timeout(Some(SEND_TIMEOUT))
            .tls(tls(config.tls, host)?);
        if let Some(hello) = &config.hello {
            builder = builder.hello_name(ClientId::Domain(hello.clone()));
        }
        if let Some(username) = &config.username {
            let password = config.password.clone().ok_or_else(|| "username without password".to_owned())?;
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        Ok(Self { transport: builder.build(), from: mailbox(&config.from)?, to })
    }

    pub(crate) async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let message = self.message(notification).map_err(|error| SendError::Final { why: error.to_string() })?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SendError::Final { why: retry::chain(&error) }),
            Err(error) => Err(SendError::Passing { why: retry::chain(&error), after: None }),
        }
    }

    fn message(&self, notification: &Notification) -> Result<Message, lettre::error::Error> {
        let mut builder = Message::builder().from(self.from.clone()).subject(text::title(notification));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let sentences = text::sentences(notification).join("\n");
        let lines = text::alert_lines(notification).join("\n");
        let url = notification.incident_url();
        let plain = format!("{sentences}\n\n{lines}\n\n{}\n{url}\n", notification.incident.expression);
        builder.multipart(MultiPart::alternative_plain_html(plain, html(notification)))
    }
}

/// A password or an alert must not cross the network readable because somebody forgot a key; loopback is no network.
fn tls(wanted: Option<EmailTls>, host: &str) -> Result<Tls, String> {
    let is_loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let wanted = wanted.unwrap_or(if is_loopback { EmailTls::Opportunistic } else { EmailTls::Starttls });
    let parameters =
        || TlsParameters::new(host.to_owned()).map_err(|error| format!("TLS for {host:?}: {}", retry::chain(&error)));
    Ok(match wanted {
        EmailTls::None => Tls::None,
        EmailTls::Opportunistic => Tls::Opportunistic(parameters()?),
        EmailTls::Starttls => Tls::Required(parameters()?),
        EmailTls::Wrapped => Tls::Wrapper(parameters()?),
    })
}

fn html(notification: &Notification) -> String {
    let color = if notification.is_firing() { "#b3261e" } else { "#1b7f3b" };
    let title = escape(&text::title(notification));
    let sentences: String = text::sentences(notification)
        .iter()
        .map(|s| format!("<p style=\"font-size:16px\"><b>{}</b></p>", escape(s)))
        .collect();
    let lines: String =
        text::alert_lines(notification).iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
    format!(
        "<html><body style=\"font-family:sans-serif\"><h3 style=\"color:{color}\">{title}</h3>{sentences}<ul>{lines}</ul>\
         <pre>{}</pre><p><a href=\"{}\">Open the incident</a></p></body></html>",
        escape(&notification.incident.expression),
        escape(&notification.incident_url()),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
