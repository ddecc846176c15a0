"""What no listener may read, and what no piece of music may be asked for.

A person alone and in distress gets no instruction that belongs in a carer's room, and no promise.
The rules look for the wording of French and English; a false alarm only costs a brief, which the
preset's own then replaces.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

_POINT_PRESSING = (
    r"\b(?:appuy\w*|pressez|presser|press|massez|masser|massag\w*|massage|stimul\w*|tapot\w*"
    r"|frottez|frotter|rub|pinc\w*|pinch\w*|serrez|squeez\w*|malax\w*|knead\w*)\b[^.!?]{0,40}"
    r"\b(?:points?|poignets?|wrists?|sternum|paumes?|palms?|pouces?|thumbs?|index|tempes?|temples?"
    r"|sourcils?|eyebrows?|clavicules?|collarbones?|chevilles?|ankles?)\b"
)

FORBIDDEN: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "breath-holding": re.compile(
            r"\b(?:reten\w*|retien\w*|bloqu\w*|suspend\w*|coupez)\b[^.!?]{0,30}"
            r"\b(?:souffle|respir\w*|air|inspir\w*)\b"
            r"|\bgard\w* (?:l'air|(?:le|la|votre) (?:souffle|respiration)|les poumons)\b|\bapnee"
            r"|\b(?:inspir\w*|inhal\w*|breathe in)\b[^.!?]{0,25}"
            r"\b(?:tenez|tenir|maint(?:enez|enir)|attend\w*|pause\w*|hold\w*|wait\w*)\b"
            r"|\bavant (?:de (?:re)?souffler|d'expirer|d'inspirer|de respirer)\b"
            r"|\bbefore (?:you )?(?:exhal|inhal|breath)\w*"
            r"|\bsans respirer\b|\b(?:cess|arret)\w* de respirer\b|\bpoumons? (?:pleins?|vides?)\b"
            r"|\b(?:tenez|maintenez|retenez)\b[^.!?]{0,25}\b(?:secondes?|temps)\b"
            r"|\b(?:hold|holding|retain|suspend|stop)\w* (?:\w+ ){0,2}(?:breath|air|inhal|exhal)\w*"
            r"|\bbreath[- ]?(?:hold|retention)|\bhold (?:it )?for\b"
            r"|\b4[- ]7[- ]8\b|\bbox breathing\b|\brespiration carree\b|\bkumbhaka\b"
        ),
        "exposure": re.compile(
            r"\bexpos(?:ition|ez|er|ure|e)s?\b|\b(?:affront|confront)\w*"
            r"|\bfac(?:e|ing) (?:your|the|what) (?:\w+ )?(?:fear|scare|frighten)\w*"
            r"|\bprovoqu\w*[^.!?]{0,40}\b(?:peur|panique|sensation|vertige|crise)"
            r"|\b(?:bring|trigger)\w*[^.!?]{0,30}\b(?:fear|panic|dizz)\w*"
            r"|\b(?:imagin|visualis|visualiz|represent)\w*[^.!?]{0,40}"
            r"\b(?:peur|redout\w*|craign\w*|pire|catastroph\w*|worst|afraid|fear\w*|dread\w*)\b"
            r"|\b(?:pens(?:ez|e|er)|songez|think)\b[^.!?]{0,30}"
            r"\b(?:peur|angoiss\w*|effra\w*|terrifi\w*|redout\w*|afraid|fear\w*|frighten\w*|scare\w*)"
            r"|\b(?:reviv\w*|relive|replongez)\b|\bhyperventil\w*"
        ),
        "hypnosis": re.compile(
            r"\b(?:auto-?)?hypno\w*|\btrances?\b|\b(?:en|une) transe\b"
            r"|\b(?:sub|in)conscient\b|\b(?:sub|un)conscious\b"
            r"|\bpaupieres?\b[^.!?]{0,25}\b(?:lourd|ferm)\w*"
            r"|\beyelids?\b[^.!?]{0,25}\b(?:heav|clos)\w*"
            r"|\byeux se ferment\b|\beyes (?:close|are closing|grow heavy)\b"
            r"|\b(?:plong|sombr|tomb|gliss)\w*\b[^.!?]{0,20}\bsommeil\b"
            r"|\b(?:sink|sinking|fall|falling|drift|drifting) into (?:\w+ ){0,2}sleep\b"
            r"|\bcompt\w*\b[^.!?]{0,25}\b(?:jusqu'a|de (?:un|1|cinq|5|dix|10) a)\b"
            r"|\bcount\w*\b[^.!?]{0,25}\b(?:from|to) (?:one|1|five|5|ten|10)\b"
        ),
        "acupressure": re.compile(
            _POINT_PRESSING + r"|\bacu-?(?:pressi|pressure|punct|ponct|point)\w*"
            r"|\b(?:li|sp|st|ki|kd|lv|pc|ht|cv|gv) ?-?\d{1,2}\b|\bp6\b|\byin ?tang\b"
            r"|\bmeridi[ae]n\w*|\bshiatsu\b|\beft\b|\btapping\b|\btapot\w*|\breflexolog\w*"
        ),
        "medical claim": re.compile(
            r"\bgueri\w*|\bguerss?\w*|\bsoign(?:e|es|er|era|ez|ent)\b"
            r"|\btrait(?:e|es|er|era|ent|ement|ements)\b|\b\w*therap\w*|\bdiagnos\w*"
            r"|\bmedic(?:ament|ation|inal|ine)\w*|\bposologie\b|\bremedes?\b|\bremed(?:y|ies)\b"
            r"|\bantidepress\w*|\banxiolyt\w*|\bsymptom\w*|\bgarant\w*|\bguarantee\w*"
            r"|\bscientifi\w*|\bcliniqu\w*|\bclinical\w*|\b(?:vous|je) promet\w*"
            r"|\b(?:cures?|cured|curing|heals?|healed|healing|treat|treats|treated|treating"
            r"|treatments?)\b"
        ),
        "address or markup": re.compile(
            r"https?:|www\.|@|[<>{}\[\]|`*#_\\]|\d[\d .\-]{5,}\d|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
        ),
        # "You are free to stop": of the music, or somebody in despair reads it of their life.
        "an end of what": re.compile(
            r"(?:^|[.!?])(?![^.!?]*\b(?:musique|ecoute|morceaux?|(?:le|du|ce) son"
            r"|music|listening|pieces?|sound)\b)"
            r"[^.!?]*(?:(?<!s')\b(?:arreter|arretez|cesser|en finir)\b"
            r"|\bstop\b|\bstopping is\b|\bend it\b)"
        ),
    }
)

_VOICE = (
    r"(?:vocals?|vocali[sz]\w*|vox|voices?|singing|singers?|sung|lyrics?|spoken|speech|narrat(?:ion"
    r"|or|ed)|whisper\w* words?|affirmations?|rap|rapping|rappers?|beatbox\w*|chants?|chanting"
    r"|mantras?|a ?cappella|paroles|voix|chantee?s?|chanteur|chanteuse)"
)
# Musicians' words for playing, not for people.
_PLAYING = re.compile(
    r"\bsinging (?:bowls?|bass|cellos?|flutes?|guitars?|lines?|quality|strings?|tones?|violins?)\b"
    r"|\bvoice[- ]leading\b|\binner voices?\b|\b(?:two|three|four)[- ]voice\b"
)
_NO_VOICE = re.compile(
    rf"\b(?:no|without|never|zero|free of|avoid|not any) (?:\w+ ){{0,2}}?{_VOICE}\b"
    rf"(?:(?:, (?:no |or |and )?| or | and | nor |/)(?:\w+ )?{_VOICE}\b)*"
    rf"|\b{_VOICE}[- ]free\b|\bnon[- ]vocal\b"
)
_ANY_VOICE = re.compile(rf"\b{_VOICE}\b|\[")


def find_forbidden(text: str) -> str | None:
    """The name of the first rule of FORBIDDEN that a text for listeners breaks, else None."""
    plain = _plain(text)
    return next((name for name, rule in FORBIDDEN.items() if rule.search(plain)), None)


def asks_for_voice(prompt: str) -> bool:
    """Whether a prompt for Suno asks for words, song or speech; "no vocals" does not."""
    plain = _PLAYING.sub(" ", _plain(prompt))
    return _ANY_VOICE.search(_NO_VOICE.sub(" ", plain)) is not None


def _plain(text: str) -> str:
    """Lower case, no accents, straight apostrophes: one spelling for the rules to look for."""
    lower = text.lower().replace("’", "'").replace("œ", "oe")
    if lower.isascii():
        return lower
    letters = unicodedata.normalize("NFKD", lower)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
