//! Tables, facts, boards and histories.

use leptos::prelude::*;

use super::sample;
use crate::ui::{Section, StatusKind, StatusTag};

pub(super) fn samples() -> AnyView {
    let rows = [
        ("Example main", "1c9f7d3e-8a40-4d0b-9a5e-0b7f8f3f2a11", "12", StatusKind::Working),
        ("Example spare", "7b2c0f5a-1de2-4c34-8b61-5f1d2c3b4a55", "0", StatusKind::NotTested),
    ]
    .map(|(name, id, people, kind)| {
        view! {
            <tr>
                <th scope="row"><a href="#tables">{name}</a></th>
                <td data-label="Client ID"><code>{id}</code></td>
                <td data-label="People" class="db-table__num">{people}</td>
                <td data-label="Status"><StatusTag kind/></td>
                <td data-label="Actions">
                    <button type="button" class="db-btn db-btn--secondary db-btn--small">"Check"</button>
                </td>
            </tr>
        }
    });
    let tables = view! {
        <Section title="Tables" id="tables">
            <div class="db-table-wrap">
                <table class="db-table">
                    <caption>"Profiles"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Client ID"</th>
                            <th scope="col" class="db-table__num">"People"</th>
                            <th scope="col">"Status"</th>
                            <th scope="col">"Actions"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().collect_view()}</tbody>
                </table>
            </div>
            <dl class="db-facts">
                <dt>"Added"</dt>
                <dd>"3 June 2026, 09:30"</dd>
                <dt>"Secret"</dt>
                <dd><StatusTag kind=StatusKind::NeedsYou text="ends tomorrow"/></dd>
            </dl>
        </Section>
    };
    let board = view! {
        <Section title="Boards and figures" id="boards">
            <ul class="db-board">
                <li class="db-board__row">
                    <div class="db-board__service">
                        <strong>"MSP SSO"</strong>
                        <span class="db-board__note">"Technicians sign in through it."</span>
                    </div>
                    <div class="db-board__profile">"Example main"</div>
                    <div class="db-board__status"><StatusTag kind=StatusKind::Working/></div>
                    <div class="db-board__actions db-actions">
                        <button type="button" class="db-btn db-btn--secondary">"Change"</button>
                    </div>
                </li>
                <li class="db-board__row db-board__row--unbound">
                    <div class="db-board__service"><strong>"Another service"</strong></div>
                    <div class="db-board__profile">"Not bound"</div>
                    <div class="db-board__status"><StatusTag kind=StatusKind::NotConnected/></div>
                    <div class="db-board__actions db-actions">
                        <button type="button" class="db-btn db-btn--primary">"Choose"</button>
                    </div>
                </li>
            </ul>
            <section class="db-coverage" aria-label="Figures">
                <ul class="db-coverage__figures">
                    <li class="db-coverage__figure">
                        <a href="#boards" aria-current="true"><span class="db-coverage__count">"12"</span>" Chosen"</a>
                    </li>
                    <li class="db-coverage__figure">
                        <a href="#boards"><span class="db-coverage__count">"3"</span>" Not chosen"</a>
                    </li>
                </ul>
                <meter class="db-coverage__bar" min="0" max="15" value="12" aria-labelledby="figures-share"></meter>
                <p id="figures-share">"12 of 15 are chosen."</p>
            </section>
        </Section>
    };
    view! {
        {sample("tables", tables.into_any())}
        {sample("boards", board.into_any())}
    }
    .into_any()
}
