"""Values and probabilities of the attributes of simulated leads.

`lead_attributes` samples leads from these numbers; the truth computes from them what the attributes of a lead say about
its interest. Each constant is a key of ``market`` in ``simulation.json``, in lower case or as `description` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.simulator.world import INTERESTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

INDUSTRIES = ("software", "manufacturing", "finance", "healthcare", "retail", "education", "logistics", "public")
# Imitates a vendor of business software, who reaches software firms first.
INDUSTRY_SHARE = (0.24, 0.18, 0.12, 0.11, 0.13, 0.09, 0.08, 0.05)
# Who needs and can pay for it; schools and offices rarely do.
INDUSTRY_FIT = (0.55, 0.30, 0.35, 0.00, -0.25, -0.75, -0.05, -0.55)
# Mean and deviation by industry: sizes are skewed, their medians from 45 (software) to 270 (public).
LOG_EMPLOYEES = ((3.8, 1.4), (5.0, 1.4), (5.2, 1.6), (4.9, 1.5), (4.3, 1.7), (4.8, 1.2), (4.6, 1.3), (5.6, 1.2))
SIZE_EDGES = (20, 200, 2000)  # employees; four classes, so that the effect of size need not rise
SIZE_FIT = (-0.60, 0.15, 0.50, 0.25)  # small accounts cannot pay; the largest take longer than those below
COUNTRIES = ("US", "DE", "GB", "FR", "NL", "IN", "BR", "AU")
COUNTRY_SHARE = (0.36, 0.17, 0.13, 0.10, 0.07, 0.08, 0.05, 0.04)  # most leads come from two home markets
COUNTRY_FIT = (0.15, 0.20, 0.10, 0.00, 0.10, -0.45, -0.35, 0.00)  # lower where the vendor has no office
TECHNOLOGIES = (None, "cloud", "on premises", "spreadsheets")
TECHNOLOGY_SHARE = (0.20, 0.40, 0.22, 0.18)  # a field with blanks and without any effect, as real tables have

SOURCES = ("organic", "paid_search", "webinar", "partner", "outbound", "event", "referral")
SOURCE_SHARE = (0.27, 0.22, 0.13, 0.09, 0.15, 0.09, 0.05)  # many leads of search, few referrals
DRIFTED_SOURCE_SHARE = (0.14, 0.40, 0.09, 0.05, 0.24, 0.05, 0.03)  # the budget moves to paid search and outbound
CAMPAIGN_SOURCE_SHARE = (0.20, 0.42, 0.10, 0.07, 0.11, 0.06, 0.04)  # a month of advertising doubles paid search
# Referrals know whom the product suits, buyers of clicks do not.
SOURCE_FIT = (0.00, -0.20, 0.05, 0.15, -0.10, 0.05, 0.35)
PAID_SEARCH, PARTNER = SOURCES.index("paid_search"), SOURCES.index("partner")
# One row per source; columns as in INTERESTS. SPAM_PRIOR adds the spam of a campaign.
INTEREST_BY_SOURCE = (
    (0.14, 0.54, 0.24, 0.08, 0.0),
    (0.26, 0.57, 0.135, 0.035, 0.0),
    (0.10, 0.60, 0.25, 0.05, 0.0),
    (0.10, 0.46, 0.30, 0.14, 0.0),
    (0.40, 0.52, 0.07, 0.01, 0.0),
    (0.16, 0.60, 0.20, 0.04, 0.0),
    (0.08, 0.40, 0.33, 0.19, 0.0),
)
# After the mix drifts, more clicks are bought of people who care less, and outbound calls better.
DRIFTED_INTEREST_BY_SOURCE = (
    (0.16, 0.54, 0.23, 0.07, 0.0),
    (0.42, 0.49, 0.08, 0.01, 0.0),
    (0.14, 0.64, 0.19, 0.03, 0.0),
    (0.10, 0.46, 0.30, 0.14, 0.0),
    (0.32, 0.47, 0.165, 0.045, 0.0),
    (0.16, 0.60, 0.20, 0.04, 0.0),
    (0.08, 0.40, 0.33, 0.19, 0.0),
)
INTEREST_TILT = (-0.9, -0.2, 0.5, 1.0, 0.0)  # change of the log prior of each interest per unit of warmth
SPAM_PRIOR = 0.6  # of the leads that may be spam: paid search of the campaign, with free mail
CAMPAIGN_FREE_MAIL = 0.55  # fills the campaign with private addresses, as forms for a prize do
# From January; summer holidays and December are cold.
MONTH_WARMTH = (0.10, 0.10, 0.15, 0.05, 0.00, -0.05, -0.25, -0.30, 0.15, 0.20, 0.05, -0.35)

DEPARTMENTS = ("Marketing", "Sales", "IT", "Finance", "Operations", "Human Resources")
DEPARTMENT_SHARE = (0.30, 0.22, 0.18, 0.08, 0.14, 0.08)  # a product for marketing and sales
DEPARTMENT_FIT = (0.40, 0.30, 0.00, -0.20, 0.05, -0.45)  # who would use it
DEPARTMENT_WARMTH = (0.15, 0.10, 0.00, -0.05, 0.00, -0.10)  # users ask earlier than those who only hear of it
RANKS = ("student", "specialist", "manager", "head", "director", "vice president", "chief")
TITLES = ("Student", "{} Specialist", "{} Manager", "Head of {}", "Director of {}", "VP {}", "Chief {} Officer")
RANK_WARMTH = (-1.2, -0.20, 0.10, 0.20, 0.15, 0.05, -0.05)  # students read and do not buy
# One row per account size, smallest first; columns as in RANKS.
RANK_SHARE = (
    (0.07, 0.26, 0.25, 0.12, 0.06, 0.04, 0.20),
    (0.05, 0.30, 0.30, 0.14, 0.10, 0.05, 0.06),
    (0.04, 0.34, 0.30, 0.13, 0.11, 0.06, 0.02),
    (0.04, 0.36, 0.29, 0.12, 0.11, 0.07, 0.01),
)
# Fit of a rank by account size: seniority raises it in larger accounts only.
RANK_FIT = (
    (-1.5, -0.10, 0.05, 0.05, 0.05, 0.05, 0.05),
    (-1.5, -0.20, 0.10, 0.20, 0.20, 0.20, 0.25),
    (-1.5, -0.40, 0.10, 0.45, 0.60, 0.70, 0.80),
    (-1.5, -0.50, 0.05, 0.50, 0.75, 0.95, 1.10),
)
PARTNER_INDUSTRIES = ("manufacturing", "finance")
PARTNER_FIT = 0.8  # an interaction: partners bring good leads of these two industries only
FREE_MAIL_FIT = -0.5  # a private address is rarely that of a buyer
FREE_MAIL_SHARE = (0.30, 0.10, 0.06, 0.04)  # by size of account: the smallest firms use private addresses
STUDENT_FREE_MAIL = 0.7  # students mostly write from private addresses
FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "gmx.de", "web.de", "icloud.com", "proton.me", "qq.com")
FREE_MAIL_WEIGHT = (0.42, 0.16, 0.12, 0.08, 0.06, 0.06, 0.05, 0.05)  # one large provider, and many smaller ones
FIT_SCALE = 0.85  # keeps most leads away from the lowest and the highest fit level
LEADS_PER_ACCOUNT = 2.5  # several people of a company ask, so that leads of one account resemble each other
YEARLY_INCREASE = 0.35  # each year, leads per day rise by this share of the first day's
CREATED_BY_WEEKDAY = (1.1, 1.2, 1.2, 1.1, 0.9, 0.3, 0.3)  # from Monday
# From January; fewer in summer and December.
CREATED_BY_MONTH = (1.0, 1.05, 1.1, 1.0, 1.0, 0.95, 0.8, 0.75, 1.15, 1.15, 1.05, 0.7)


@dataclass(frozen=True)
class Question:
    """A question that leads answer, and how the answer depends on their interest.

    Parameters
    ----------
    name
        The column in the table of leads.
    values
        The answers, lowest first.
    blank
        Probability of no answer, one for each of ``INTERESTS``.
    weight
        One row per answer group: how common each answer is. All leads are one group where there is one row.
    tilt
        One for each of ``INTERESTS``: change of the log weight of an answer per step up the answers.
    """

    name: str
    values: tuple[str, ...]
    blank: tuple[float, ...]
    weight: tuple[tuple[float, ...], ...]
    tilt: tuple[float, ...] = (0.0,) * len(INTERESTS)

    def probabilities_if_answered(self) -> Floats:
        """Return the probability of each answer of a lead that answers, shape (answer groups, interests, values)."""
        steps = np.arange(len(self.values)) - (len(self.values) - 1) / 2
        raised = np.array(self.weight)[:, None, :] * np.exp(np.outer(self.tilt, steps))
        return np.asarray(raised / raised.sum(axis=2, keepdims=True))

    def probabilities(self) -> Floats:
        """Return the probabilities of no answer and of each answer, shape (answer groups, interests, 1 + values)."""
        answered, blank = self.probabilities_if_answered(), np.array(self.blank)[None, :, None]
        return np.concatenate([np.broadcast_to(blank, (*answered.shape[:2], 1)), (1 - blank) * answered], axis=2)


QUESTIONS = (  # forms as of sales teams (BANT): the hotter a lead, the fewer blanks and the sooner it wants to buy
    Question(
        "budget",
        ("under 10k", "10k to 50k", "50k to 250k", "over 250k"),
        (0.80, 0.68, 0.50, 0.35, 0.55),
        ((0.60, 0.30, 0.08, 0.02), (0.35, 0.40, 0.20, 0.05), (0.15, 0.35, 0.35, 0.15), (0.08, 0.22, 0.40, 0.30)),
        (-0.1, 0.0, 0.1, 0.2, 0.0),
    ),
    Question(
        "authority",
        ("user", "influencer", "decision maker"),
        (0.60, 0.50, 0.36, 0.25, 0.45),
        ((0.60, 0.33, 0.07), (0.25, 0.45, 0.30), (0.05, 0.30, 0.65)),
    ),
    Question(
        "need",
        ("looking around", "knows the problem", "compares vendors"),
        (0.65, 0.55, 0.38, 0.25, 0.40),
        ((0.40, 0.36, 0.24),),
        (-0.5, -0.2, 0.3, 0.9, 0.0),
    ),
    Question(
        "timeline",
        ("no plan", "next year", "this year", "this quarter"),
        (0.68, 0.58, 0.40, 0.25, 0.40),
        ((0.34, 0.26, 0.24, 0.16),),
        (-0.5, -0.2, 0.35, 0.9, 0.1),
    ),
    Question("phone", ("given",), (0.72, 0.60, 0.46, 0.35, 0.10), ((1.0,),)),
)
BUDGET, AUTHORITY, NEED, TIMELINE, PHONE = range(5)  # positions in QUESTIONS
AUTHORITY_GROUP = (0, 0, 1, 1, 2, 2, 2)  # answer group of each rank for the question of authority

CHANNELS = ("website", "email", "phone", "video", "in person", "search", "social")
PHONE_CHANNEL = CHANNELS.index("phone")
# One row per kind of activity, as in KINDS; the last row is for the kind WORKED. Columns as in CHANNELS.
CHANNEL_OF_KIND = (
    (0.50, 0.0, 0.0, 0.0, 0.0, 0.32, 0.18),
    (0.70, 0.0, 0.0, 0.0, 0.0, 0.25, 0.05),
    (0.65, 0.20, 0.0, 0.0, 0.0, 0.05, 0.10),
    (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.90, 0.0, 0.0, 0.0, 0.0, 0.0, 0.10),
    (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 0.65, 0.35, 0.0, 0.0),
    (0.0, 0.30, 0.70, 0.0, 0.0, 0.0, 0.0),
)
