"""What a report's conclusion says: its sentences, and whether it reads as normal.

Both are rules, not models: the same text always gives the same answer, anybody can read why, and nothing has to be
downloaded. `reads_as_normal` decides the slices where an upload has no label of its own, and counts the worst error
that ROUGE hides: an abnormal report answered as a normal one.
"""

import functools
import re

from training.negation import clauses, is_negated

# Words after whose full stop a sentence goes on.
_ABBREVIATION = re.compile(
    r"drs?|mr|mrs|ms|prof|st|vs|e\.g|i\.e|cf|approx|figs?|dept|resp|incl?|jr|sr|[ap]\.m|m\.d|r\.n"
)
_TITLES = ("dr.", "mr.", "mrs.", "ms.", "prof.")
_END = re.compile(r"[.!?]+[\"')\]]*$")
_MARKER = re.compile(r"\(?(\d{1,2})[.)]$")
POINT = re.compile(r"^\(?\d{1,2}[.)]\s+")


def sentences(text: str) -> list[str]:
    """The sentences of a report, in order; joined by spaces they are the text with single spaces.

    A number of an enumeration ("2. No effusion.") stays with its sentence and begins one, also where the point before
    it has no full stop. Decimals ("1.4 cm"), titles ("Dr. ___") and abbreviations do not end a sentence.
    Stray punctuation (". .") stays with the sentence before it.
    """
    found: list[list[str]] = []
    words = text.split()
    begins, point = True, 0
    for at, word in enumerate(words):
        marker = _MARKER.fullmatch(word)
        # "segment 2." is no point of an enumeration; "2." is one at a beginning, or right after point 1's text.
        is_point = marker is not None and at + 1 < len(words) and (begins or int(marker[1]) == point + 1 > 1)
        if is_point and marker is not None:
            begins, point = True, int(marker[1])
        if not any(c.isalnum() or c == "_" for c in word) and found:
            found[-1].append(word)
            continue
        if begins or not found:
            found.append([])
        found[-1].append(word)
        begins = not is_point and _ends_sentence(word, words[at - 1] if at else "")
    return [" ".join(sentence) for sentence in found]


def _ends_sentence(word: str, before: str) -> bool:
    if not _END.search(word):
        return False
    plain = word.lower().rstrip(".!?\"')]").lstrip("\"'([")
    initial = len(plain) == 1 and before.lower() in _TITLES
    return not _ABBREVIATION.fullmatch(plain) and not initial


# A sentence that says that nothing is wrong, with all of it or with one organ.
_NORMAL = re.compile(
    r"\b(?:no|not|without|negative|normal|unremarkable|clear|free of|absence of|resolved|resolution)\b"
)
# What a report may say beside "normal" without saying anything of the patient's state.
_NO_COMPARISON = re.compile(r"^(?:no (?:comparison|prior|previous)|no (?:\w+ ){0,3}changes?\b)")
_NEUTRAL = re.compile(
    r"^(?:(?:comparison|prior|previous|compared|as compared|in comparison)\b.*"
    r"|(?:stable|unchanged|pa|ap|frontal|lateral|portable|two|single|chest|and|views?|of|the|to|from|since|prior"
    r"|previous|appearance|xxxx|x-xxxx|radiographs?|films?|exam|examination|study|findings?|discussed|telephone|\W)+)$"
)
_UNSURE = re.compile(r"\b(?:cannot|can not|not (?:be )?(?:excluded|ruled out|clear|certain)|unclear|uncertain)\b")
_GONE = re.compile(r"\b(?:resolved|cleared|no longer|resolution of)\b")
# What is wrong with a chest, what was put into it, and the words by which either is graded, as stems.
_FINDING = re.compile(
    r"\b(?:abnormal|opaci|densit|infiltrat|consolidat|pneumon|effusion|pneumothora|edema|congest|cardiomegal|enlarge"
    r"|atelecta|nodul|mass|lesion|granulom|calcif|emphysem|copd|chronic obstruct|hyperinfl|hyperexpan|hypoinfl"
    r"|hypoventil|hypoaerat|low (?:lung|inspiratory)|scar|fibro|fractur|deformit|degenerat|spondyl|arthr|osteo|scolio"
    r"|kypho|tortuo|ectas|ectat|aneurysm|atheroscler|hernia|eventrat|elevat|bronchit|bronchiect|thicken|blunt"
    r"|prominen|interstitial|reticul|disease|tubercul|sarcoid|metasta|malignan|cancer|tumor|adenopath|lymphaden"
    r"|pacemaker|pacing|aicd|defib|leads?\b|catheter|tubes?\b|sternotomy|post ?operative|post ?surgical|surg|clips"
    r"|implant|stent"
    r"|picc|hardware|device|foreign body|collapse|volume loss|shift|widen|hyperluc|air.trapping|bulla|bleb|cyst"
    r"|cavit|compress|wedg|subluxat|dislocat|loss of height|free air|crowding|asymmetr|suspicious|concern|worrisome"
    r"|recommend|suggest|possib|probab|likely|may represent|could represent|questionable|borderline|mild|moderate"
    r"|severe|increased|decreased|worsen|improv|persist|residual|chronic changes?|sequela)\w*"
)


@functools.lru_cache(maxsize=65536)
def reads_as_normal(text: str) -> bool:
    """Whether a conclusion says that the report is normal, and says nothing else.

    Every sentence must deny something wrong, call something normal, or say nothing of the patient's state (what was
    compared with); one at least must do one of the first two. Anything else, also a finding that is old, stable or
    mild, makes it not normal; so does an empty text.
    """
    normal = False
    for sentence in sentences(text):
        plain = POINT.sub("", sentence.lower()).strip(" .!")
        if not plain:
            continue
        if _asserts_finding(plain):
            return False
        if _NO_COMPARISON.search(plain):
            continue
        if _NORMAL.search(plain):
            normal = True
        elif not _NEUTRAL.search(plain):
            return False
    return normal


def _asserts_finding(sentence: str) -> bool:
    if _UNSURE.search(sentence):
        return True
    return any(_clause_asserts(clause) for _, clause in clauses(sentence))


def _clause_asserts(clause: str) -> bool:
    finding = _FINDING.search(clause)
    return finding is not None and not _GONE.search(clause) and not is_negated(clause, finding.start())
