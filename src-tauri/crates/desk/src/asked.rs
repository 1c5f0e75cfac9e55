//! A file that cannot be read without an answer, kept until it comes.

use intake::{Answers, Question, Refusal, SecretEncoding};
use qr::Effort;
use zeroize::Zeroizing;

use crate::found::{Handed, read};
use crate::input::Input;
use crate::reading::said;
use crate::{Problem, RunView, SaidView};

/// What was handed over, what it asks, and what was answered so far.
pub(crate) struct Asked {
    inputs: Vec<Input>,
    begun: Vec<Zeroizing<String>>,
    answers: Answers,
    question: Question,
    refusal: Option<SaidView>,
}

impl Asked {
    pub(crate) fn new(
        inputs: Vec<Input>,
        begun: Vec<Zeroizing<String>>,
        question: Question,
    ) -> Self {
        Self { inputs, begun, answers: Answers::default(), question, refusal: None }
    }

    /// Reads again with one more answer. A password that does not open it leaves the
    /// question where it is, with the reason.
    pub(crate) fn answer(
        &mut self,
        password: Option<Zeroizing<String>>,
        encoding: Option<SecretEncoding>,
    ) -> Result<Option<Handed>, Problem> {
        if password.is_some() {
            self.answers.password = password;
        }
        self.answers.encoding = encoding.or(self.answers.encoding);
        self.refusal = None;
        match read(&self.inputs, &self.answers, self.begun.clone(), Effort::default())? {
            Handed::Asked(question) => {
                self.question = question;
                Ok(None)
            }
            Handed::Found(found) => {
                let Some(refusal) = found.refused(&wrong_password(&self.question)) else {
                    return Ok(Some(Handed::Found(found)));
                };
                self.refusal = Some(refusal);
                self.answers.password = None;
                Ok(None)
            }
        }
    }

    pub(crate) fn view(&self) -> RunView {
        let encodings = match self.question {
            Question::Encoding { candidates, .. } => candidates,
            Question::Password { .. } | Question::PreSharedKey { .. } => &[],
        };
        RunView::Asked {
            question: said(self.question.code(), self.question.facts()),
            encodings: encodings.iter().map(|known| known.code().to_owned()).collect(),
            refusal: self.refusal.clone(),
        }
    }
}

/// What a wrong answer to a question comes to.
fn wrong_password(question: &Question) -> Vec<&'static str> {
    match question {
        Question::Password { form } | Question::PreSharedKey { form } => {
            vec![Refusal::WrongPassword { form: *form }.code(), "wrong-mac"]
        }
        Question::Encoding { .. } => Vec::new(),
    }
}
